"""How sending says no, beside `office.problems`: the job is not in a state for this, or its files are gone."""

from __future__ import annotations

from fumibako.apps.office.problems import ChangedMeanwhile, Problem, Refused

__all__ = ["AttachmentMissing", "ChangedMeanwhile", "NotADraft", "NotNow", "Problem", "Refused", "SumsDisagree"]


class NotADraft(ChangedMeanwhile):
    """The job was approved (by `who`, at `at`) or ended: its list and letter cannot be changed any more."""


class NotNow(Refused):
    """The job or delivery is in a state that has no such move (pausing what is finished, settling what is sent)."""


class AttachmentMissing(Exception):
    """A file of the job is gone from the data folder, or its bytes are not the ones that were approved (D13, D14)."""

    def __init__(self, name: str, *, is_changed: bool) -> None:
        super().__init__(name)
        self.name = name
        self.is_changed = is_changed


class SumsDisagree(Exception):
    """The states of a job's rows do not add up to the rows it was frozen with: a mistake in our own code (P1)."""
