"""返信 and 転送: a job of one row through the account's own sending engine, held long enough to be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from fumibako.apps.office.models import Operator
from fumibako.apps.sending.models import BulkSend

from ..models import ReceivedMail


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that goes along with an answer."""

    name: str
    content_type: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it stands on the screen. `to` and `cc` are addresses, separated like the account's CC item."""

    subject: str
    body: str
    to: str
    cc: str = ""
    attachments: Sequence[NewFile] = ()
    idempotency_key: UUID | None = field(default=None)


def reply(
    operator: Operator | None, mail: ReceivedMail, words: Reply, seen_version: int, *, force: bool = False
) -> BulkSend:
    """返信: leaves after システム設定 → 返信を取り消せる秒数. The mail becomes 返信待ち.

    Raises ChangedMeanwhile when somebody replied, noted, linked or set the state since `seen_version`, unless `force`;
    Refused with what is missing; PermissionDenied.
    """
    raise NotImplementedError


def forward(
    operator: Operator | None, mail: ReceivedMail, words: Reply, seen_version: int, *, force: bool = False
) -> BulkSend:
    """転送, with the mail's own saved files."""
    raise NotImplementedError


def take_back_reply(operator: Operator | None, job: BulkSend) -> Reply:
    """取り消す, while it is held: returns what was written. Raises NotNow when sending has begun."""
    raise NotImplementedError


def quoted(mail: ReceivedMail) -> Reply:
    """What the form of an answer starts with: Re: subject, the quoted text, To from this mail alone."""
    raise NotImplementedError
