"""What people do with received mail, and what reading one does to the rest: each verb is one transaction."""

from .bouncing import settle_bounce
from .fetching import FetchResult, allow_again, fetch_now, result_of, result_of_run, try_quarantined_again
from .linking import confirm_answer, link_person, unlink_person
from .marking import add_note, assign, delete_mail, leave, mark_read, mark_unread, set_work, touch_presence
from .reading import read_again, read_mail
from .replying import Reply, forward, quoted, reply, take_back_reply

__all__ = [
    "FetchResult",
    "Reply",
    "add_note",
    "allow_again",
    "assign",
    "confirm_answer",
    "delete_mail",
    "fetch_now",
    "forward",
    "leave",
    "link_person",
    "mark_read",
    "mark_unread",
    "quoted",
    "read_again",
    "read_mail",
    "reply",
    "result_of",
    "result_of_run",
    "set_work",
    "settle_bounce",
    "take_back_reply",
    "touch_presence",
    "try_quarantined_again",
    "unlink_person",
]
