"""From claimed rows to mails that are ready to be handed over, checked against what was approved."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import structlog

from fumibako.services.mailer import Envelope, Passage

from .. import ledger
from ..build import JobComposer, composer_of
from ..errors import AttachmentMissing
from ..models import BulkSend

log = structlog.get_logger("fumibako.sending")


@dataclass(frozen=True, slots=True)
class JobHalted(Exception):
    """No mail of this job may leave as it is now: `cause` is the job's pause cause."""

    cause: str
    data: dict[str, object] = field(default_factory=dict)


class Unbuilt(Exception):
    """One row could not be turned into a mail."""


@dataclass(slots=True)
class Load:
    """One claimed mail, ready to go. `passage` is its way over one session, once it has been given to one."""

    claim: ledger.Claim
    envelope: Envelope
    raw: bytes
    passage: Passage | None = None
    claimed_at: float = 0.0
    began_at: float = 0.0
    """By the monotonic clock."""
    place: int = 0
    """How many mails the session had begun before this one."""
    has_been_moved: bool = False
    """It met a session that was over and was given to a fresh one, which happens once."""


class Composers:
    """The composers of the jobs at hand. Attachments are read and checked again after `forget` (D13, D14)."""

    def __init__(self) -> None:
        self._composers: dict[int, JobComposer] = {}

    def forget(self) -> None:
        """The burst is over."""
        self._composers.clear()

    def load(self, claim: ledger.Claim) -> Load:
        """Build the mail of a claimed row. Raises JobHalted or Unbuilt."""
        composer = self._composer_of(claim.job)
        try:
            raw = composer.compose(claim.row).raw
            envelope = Envelope(composer.envelope_sender, claim.row.wire_address, composer.copies)
        except Exception as error:  # boundary: what is wrong in one row fails that row alone (C14)
            log.error("row_unbuilt", delivery=claim.row.pk, error=error)
            raise Unbuilt(f"{type(error).__name__}: {error}") from error
        if hashlib.sha256(raw).hexdigest() != claim.row.raw_sha256:
            raise JobHalted("content_changed")
        return Load(claim, envelope, raw)

    def _composer_of(self, job: BulkSend) -> JobComposer:
        if job.pk not in self._composers:
            try:
                self._composers[job.pk] = composer_of(job)
            except AttachmentMissing as missing:
                raise JobHalted("attachment_missing", {"is_changed": missing.is_changed}) from missing
        return self._composers[job.pk]
