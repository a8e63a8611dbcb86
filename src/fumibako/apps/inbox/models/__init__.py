"""Rows of the inbox: received mails, what the server had, error mails, and the work on a mail."""

from .bounce import BounceReport
from .fetching import FetchRequest, FetchRun, Reception, SeenMail, ShareCopy
from .mail import MailAttachment, MailPerson, ReceivedMail
from .working import MailEvent, MailNote, MailReply, Presence

__all__ = [
    "BounceReport",
    "FetchRequest",
    "FetchRun",
    "MailAttachment",
    "MailEvent",
    "MailNote",
    "MailPerson",
    "MailReply",
    "Presence",
    "ReceivedMail",
    "Reception",
    "SeenMail",
    "ShareCopy",
]
