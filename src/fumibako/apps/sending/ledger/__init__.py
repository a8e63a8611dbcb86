"""送信台帳: the one place for the truth about every delivery, and the only writer of its state, attempt and owner.

`moves` is how a row changes, `claiming` what a worker does with one mail, `rounds` the same for many at once (by
`at_once` on SQLite, by `arrays` on PostgreSQL),
`jobs` what happens to a whole job, `bouncing` what error mails say, `settling` what dead workers leave and people
decide, `restoring` what an old copy of the records leaves in doubt.
"""

from ..workers import SILENCE_LIMIT
from .bouncing import Bounce, Bounced, prove_sent, record_bounce
from .claiming import Claim, Row, Wait, is_disk_low, note_trouble, record, trouble_count_of
from .jobs import (
    accounts_at_work,
    cancel_job,
    cancel_leftovers,
    expire_due,
    finish_jobs,
    pause_job,
    plan_rows,
    release_due,
    say_stopped,
)
from .moves import BrokenHistory, LostClaim, Note, Rebuilt, rebuild
from .restoring import Doubted, doubt_waiting
from .rounds import Answer, Round, claim, due_count, outlook, settle_round
from .settling import CannotSettle, Reaped, put_back_strays, reap, settle

__all__ = [
    "SILENCE_LIMIT",
    "Answer",
    "Bounce",
    "Bounced",
    "BrokenHistory",
    "CannotSettle",
    "Claim",
    "Doubted",
    "LostClaim",
    "Note",
    "Reaped",
    "Rebuilt",
    "Round",
    "Row",
    "Wait",
    "accounts_at_work",
    "cancel_job",
    "cancel_leftovers",
    "claim",
    "doubt_waiting",
    "due_count",
    "expire_due",
    "finish_jobs",
    "is_disk_low",
    "note_trouble",
    "outlook",
    "pause_job",
    "plan_rows",
    "prove_sent",
    "put_back_strays",
    "reap",
    "rebuild",
    "record",
    "record_bounce",
    "release_due",
    "say_stopped",
    "settle",
    "settle_round",
    "trouble_count_of",
]
