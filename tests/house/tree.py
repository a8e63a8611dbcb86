"""The project's own files, as the house tests walk them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ROOT / "src" / "fumibako"
TESTS = ROOT / "tests"
NOT_OURS = {"__pycache__", "data", "node_modules", "vendor"}
HIDDEN_BUT_OURS = {".ci", ".gitignore", ".gitattributes"}
TEXT_KINDS = {".py", ".html", ".css", ".js", ".md", ".toml", ".txt", ".svg", ".dialogue", ".csv", ".lock", ""}


def files(top: Path, *kinds: str) -> list[Path]:
    """Files below `top` whose suffix is one of `kinds`, sorted; caches, environments and vendored files left out."""
    return sorted(path for path in _walk(top) if path.suffix in kinds)


def modules(*tops: Path) -> list[Path]:
    """Python modules below the folders, without migrations, which Django writes."""
    return [path for top in tops for path in files(top, ".py") if "migrations" not in path.parts]


def texts() -> list[Path]:
    """Every text file of the project that a person may read."""
    return files(ROOT, *TEXT_KINDS)


def name_of(path: Path) -> str:
    """The path as a person writes it."""
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    """The module's syntax tree."""
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def imported_by(path: Path) -> Iterator[str]:
    """The full names of all modules that the module imports, anywhere in its text."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def _walk(top: Path) -> Iterator[Path]:
    for path in top.iterdir() if top.is_dir() else ():
        is_hidden = path.name.startswith(".") and path.name not in HIDDEN_BUT_OURS
        if is_hidden or path.name in NOT_OURS or path.is_symlink():
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path
