"""Mail as files: whole or not there, synced before anybody hears of them, under names a person can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

__all__ = ["NotDurable", "ShareResult", "copy_to_share", "file_name_of", "sweep_drafts", "write_all"]

DRAFT_AGE = timedelta(hours=24)


class NotDurable(Exception):
    """The system could not promise that bytes are on disk. Fatal: asking again may get a yes that is not true."""


@dataclass(frozen=True, slots=True)
class ShareResult:
    """How a copy to the share went: its name there (may carry a number), or what the system said."""

    path: str = ""
    error: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the copy is there."""
        return not self.error


def file_name_of(number: int, at: datetime, subject: str) -> str:
    """Return a name such as `20261124-173105_面談の件_00004821.eml`: safe everywhere, at most 120 characters."""
    return f"{at:%Y%m%d-%H%M%S}_{number:08d}.eml"


def write_all(folder: Path, items: Sequence[tuple[str, bytes]]) -> None:
    """Write files that are whole and synced, names included, when this returns; none is ever overwritten.

    Raises FileExistsError for a name that is taken, OSError when the disk is full (nothing new stays), NotDurable when
    syncing fails.
    """
    raise OSError("not filled in yet")


def sweep_drafts(folder: Path, now: float, older_than: timedelta = DRAFT_AGE) -> int:
    """Remove unfinished files below `folder` that a killed process left behind; return how many."""
    return 0


def copy_to_share(root: Path, relative: str, raw: bytes) -> ShareResult:
    """Copy one finished mail to a shared folder. Never raises for the share's trouble."""
    return ShareResult(error="not filled in yet")
