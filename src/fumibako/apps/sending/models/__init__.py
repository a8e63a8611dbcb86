"""Rows of sending: drafts and jobs, the delivery ledger, and who is at work at which pace."""

from .delivery import Addressee, Delivery, DeliveryEvent, SentTo
from .job import BulkSend, DraftAddress, JobAttachment, JobEvent, RemovedRecipient
from .running import Pace, Worker

__all__ = [
    "Addressee",
    "BulkSend",
    "Delivery",
    "DeliveryEvent",
    "DraftAddress",
    "JobAttachment",
    "JobEvent",
    "Pace",
    "RemovedRecipient",
    "SentTo",
    "Worker",
]
