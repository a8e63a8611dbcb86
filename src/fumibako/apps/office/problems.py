"""How an action says no: what is wrong with which field, or that somebody else saved meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing a person has to put right: the field's name, the message's id (UX §2.6) and its Japanese words."""

    field: str
    id: str
    text: str


class Refused(Exception):
    """Nothing was changed; `problems` say why."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problem.text for problem in self.problems))


class ChangedMeanwhile(Exception):
    """Nothing was changed: `who` saved at `at` after this form was opened.

    `differences` maps the label of each field that differs to (what the form had, what is stored now).
    """

    def __init__(self, who: str, at: datetime, differences: Mapping[str, tuple[str, str]] | None = None) -> None:
        self.who = who
        self.at = at
        self.differences = dict(differences or {})
        super().__init__(f"{who}さんが登録しています。")
