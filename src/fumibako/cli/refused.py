"""How a command ends when it cannot do what was asked: refused (bad input) or could not run."""

from __future__ import annotations


class Refused(Exception):
    """The input was wrong and nothing was changed: exit code 2. The text is one sentence: what is wrong, what to do."""


class CouldNotRun(Exception):
    """The input was fine, the surroundings are not: exit code 3. The text says what is missing and what to do."""
