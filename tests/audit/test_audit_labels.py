"""The audit log is read by people: nothing in it may show as a bare program word."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import fumibako
from fumibako.apps.audit.labels import ACTIONS, action_text, target_text

SOURCE = Path(fumibako.__file__).parent


def recorded_actions() -> Iterator[str]:
    """Every action word that stands as the second argument of a call to `record` or `record_all`."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) >= 3:
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                word = node.args[1]
                if name in ("record", "record_all") and isinstance(word, ast.Constant) and isinstance(word.value, str):
                    yield word.value


def test_every_action_that_is_recorded_has_words_and_no_words_are_left_over() -> None:
    assert set(recorded_actions()) == set(ACTIONS)


def test_a_target_is_told_by_its_area_and_number() -> None:
    assert target_text("account:3") == "メールアカウント 3"
    assert target_text("office") == "システム設定"


def test_an_action_of_a_later_version_is_shown_by_its_own_name() -> None:
    assert action_text("something.new") == "something.new"
