"""The part of Liquid that letters may use: fields, if/unless with comparisons, and a handful of filters.

No loops, no assignments, no includes: every letter ends, and its length is bounded by its text and its values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from liquid import Environment
from liquid.exceptions import LiquidError

from fumibako.letters.problems import ProblemKind

FILTERS: Final = frozenset(("default", "strip", "upcase", "downcase"))
_BLOCKS: Final = ("if", "unless")
CONDITIONS: Final = frozenset((*_BLOCKS, "elsif"))
TAGS: Final = frozenset((*CONDITIONS, "else", "endif", "endunless"))
# Liquid's own words for a piece of text, a field, and what it does with something it cannot read.
_LIQUID_NEEDS: Final = ("content", "output", "illegal")

EXPRESSION_CHARACTERS = 500
_EMPTY_TEXT = re.compile(r"\"\"|''|\b(?:empty|blank)\b|(\"[^\"]*\"|'[^']*')")
_TEXT = re.compile("\"[^\"]*\"|'[^']*'")
_OUTSIDE_OUR_PART = re.compile(r"[{}%\[\]().]|(?<![\w-])-?\d|\b(?:true|false)\b")
"""Numbers, truth values, paths and stray braces: every field is a text without parts, so none of these means anything.
Without them a comparison cannot fail while a letter is filled in."""


class LetterEnvironment(Environment):
    """Liquid without everything that a letter may not do."""

    suppress_blank_control_flow_blocks = False
    block_nesting_limit = 30

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Register what the module's opening sentence names, and nothing else."""
        super().setup_tags_and_filters(extra=False)
        self.tags = {name: tag for name, tag in self.tags.items() if name in (*_BLOCKS, *_LIQUID_NEEDS)}
        self.filters = {name: function for name, function in self.filters.items() if name in FILTERS}


ENVIRONMENT: Final = LetterEnvironment()


@dataclass(frozen=True, slots=True)
class Reading:
    """What an expression uses. `problem` is set when it is not one; `fault` is the name that is to blame, if one is."""

    fields: tuple[str, ...] = ()
    problem: ProblemKind | None = None
    fault: str = ""


def read_output(expression: str) -> Reading:
    """What `{{ expression }}` uses. At least one field: plain words need no braces."""
    return _read_output(expression) if len(expression) <= EXPRESSION_CHARACTERS else _too_long(expression)


def read_tag(tag: str) -> Reading:
    """What `{% tag %}` uses; whether it stands in its right place is for `misplaced_tags` to say."""
    return _read_tag(tag) if len(tag) <= EXPRESSION_CHARACTERS else _too_long(tag)


def _too_long(expression: str) -> Reading:
    return Reading(problem=ProblemKind.BAD_EXPRESSION, fault=expression[:30])


@lru_cache(maxsize=2048)
def _read_output(expression: str) -> Reading:
    reading = _read(expression, f"{{{{ {expression} }}}}")
    if reading.problem or reading.fields:
        return reading
    return Reading(problem=ProblemKind.BAD_EXPRESSION, fault=expression)


@lru_cache(maxsize=2048)
def _read_tag(tag: str) -> Reading:
    name, _, expression = tag.partition(" ")
    if name not in TAGS:
        return Reading(problem=ProblemKind.UNKNOWN_TAG, fault=name or tag)
    if name in CONDITIONS:
        return _read(expression.strip(), f"{{% if {expression} %}}{{% endif %}}")
    if expression:
        return Reading(problem=ProblemKind.BAD_EXPRESSION, fault=tag)
    return Reading()


def _read(expression: str, source: str) -> Reading:
    if not expression or _OUTSIDE_OUR_PART.search(_TEXT.sub("", expression)):
        return Reading(problem=ProblemKind.BAD_EXPRESSION, fault=expression)
    try:
        template = ENVIRONMENT.from_string(source)
        found = template.analyze()
        unknown = next((name for name in found.filters if name not in FILTERS), None)
        if unknown is not None:
            return Reading(problem=ProblemKind.UNKNOWN_FILTER, fault=unknown)
        template.render()  # an argument too many shows only now
    except (LiquidError, RecursionError):
        return Reading(problem=ProblemKind.BAD_EXPRESSION, fault=expression)
    return Reading(tuple(found.variables))


NESTING_DEPTH = 20


def misplaced_tags(names: Iterable[str]) -> tuple[tuple[int, ...], bool]:
    """(positions of tags that stand where they may not, whether every block is closed at the end)."""
    open_blocks: list[str] = []
    misplaced: list[int] = []
    for position, name in enumerate(names):
        if name in _BLOCKS and len(open_blocks) < NESTING_DEPTH:
            open_blocks.append(name)
        elif name in ("elsif", "else") and open_blocks and not open_blocks[-1].endswith(" else"):
            open_blocks[-1] += " else" if name == "else" else ""
        elif name in ("endif", "endunless") and open_blocks and open_blocks[-1].split()[0] == name[3:]:
            open_blocks.pop()
        else:
            misplaced.append(position)
    return tuple(misplaced), not open_blocks


def with_nothing_for_empty(condition: str) -> str:
    """Empty values are given to Liquid as nothing, so that they count as false; "" must then mean nothing too."""
    return _EMPTY_TEXT.sub(lambda match: match[1] or "nil", condition)
