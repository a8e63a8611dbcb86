"""Rows of sending: drafts and jobs, the delivery ledger, and who is at work at which pace."""

from .delivery import Delivery, DeliveryEvent
from .job import BulkSend, DraftAddress, JobAttachment, JobEvent, RemovedRecipient
from .running import Pace, Worker

__all__ = [
    "BulkSend",
    "Delivery",
    "DeliveryEvent",
    "DraftAddress",
    "JobAttachment",
    "JobEvent",
    "Pace",
    "RemovedRecipient",
    "Worker",
]
