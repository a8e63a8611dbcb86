"""How the inbox says no, beside `office.problems`."""

from __future__ import annotations

from fumibako.apps.office.problems import ChangedMeanwhile, Problem, Refused

__all__ = ["ChangedMeanwhile", "NotNow", "Problem", "Refused"]


class NotNow(Refused):
    """The mail, reply or report is in a state that has no such move."""
