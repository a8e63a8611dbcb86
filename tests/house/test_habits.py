"""Habits that a machine can check: who may import what, what may be caught, what may not be left lying about."""

from __future__ import annotations

import ast
import re

from tests.house.tree import PRODUCT, TESTS, files, imported_by, modules, name_of, parsed

MAIL_CLIENTS = {"smtplib", "poplib", "imaplib"}
WRITING_VERBS = {"save", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
# Spelt so that this file does not find itself.
UNFINISHED = re.compile(
    r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")) + r")\b"
)


def test_only_mime_imports_the_standard_email_package() -> None:
    others = [path for path in modules(PRODUCT) if PRODUCT / "mime" not in path.parents]
    assert [name_of(p) for p in others if any(name.split(".")[0] == "email" for name in imported_by(p))] == []


def test_nobody_imports_the_standard_mail_clients() -> None:
    found = [p for p in modules(PRODUCT) if MAIL_CLIENTS & {name.split(".")[0] for name in imported_by(p)}]
    assert [name_of(path) for path in found] == []


def test_exception_is_caught_only_at_a_marked_boundary() -> None:
    unmarked = []
    for path in modules(PRODUCT, TESTS):
        lines = path.read_text("utf-8").splitlines()
        handlers = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.ExceptHandler)]
        wide = [handler.lineno for handler in handlers if catches_everything(handler)]
        unmarked += [f"{name_of(path)}:{number}" for number in wide if "# boundary: " not in lines[number - 1]]
    assert unmarked == []


def test_nothing_is_left_unfinished() -> None:
    found = [
        f"{name_of(path)}:{number}"
        for path in modules(PRODUCT, TESTS) + files(PRODUCT, ".html", ".js", ".css")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if UNFINISHED.search(line)
    ]
    assert found == []


def test_the_web_never_writes_rows_itself() -> None:
    found = [
        f"{name_of(path)}:{node.lineno} .{node.func.attr}()"
        for path in modules(PRODUCT / "web")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_write(node.func)
    ]
    assert found == []


def test_no_test_sleeps_or_patches_our_own_code() -> None:
    found = []
    for path in modules(TESTS):
        text = path.read_text("utf-8")
        if "unittest.mock" in imported_by(path) or re.search(r"monkeypatch\.setattr\(\s*[\"']fumibako", text):
            found.append(f"{name_of(path)} patches")
        if re.search(r"\btime\.sleep\(", text) and path.name != "test_habits.py":
            found.append(f"{name_of(path)} sleeps")
    assert found == []


def test_every_test_can_fail() -> None:
    found = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in modules(TESTS)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not judges(node)
    ]
    assert found == []


def catches_everything(handler: ast.ExceptHandler) -> bool:
    """True for a bare except, Exception and BaseException, alone or in a tuple."""
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException") for kind in kinds)


def is_write(function: ast.Attribute) -> bool:
    """True for a call that changes rows: always for saving, for update and delete when it hangs on `objects`."""
    if function.attr in WRITING_VERBS:
        return ".objects" in ast.unparse(function) or function.attr == "save"
    return function.attr in ("update", "delete") and ".objects" in ast.unparse(function)


def judges(test: ast.FunctionDef) -> bool:
    """True when the test asserts, expects an exception, or calls something named as a judgement."""
    for node in ast.walk(test):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in ("raises", "warns", "fail") or name.startswith(("assert_", "expect", "check", "must_", "prove")):
                return True
    return False
