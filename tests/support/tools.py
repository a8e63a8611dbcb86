"""Programs outside Python that some tests need: present, or loudly skipped; in continuous integration, required."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def require_tool(name: str, apt_line: str, *, folders: tuple[Path, ...] = ()) -> str:
    """Returns the path of the program `name`, looked for on PATH, in the system folders and in `folders`.

    Without it the test is skipped with `apt_line`, the exact command that installs it; under FUMIBAKO_CI=1 it fails.
    """
    places = [*os.environ.get("PATH", "").split(os.pathsep), *SYSTEM_FOLDERS, *map(str, folders)]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is not None:
        return found
    sentence = f"{name} is missing; run: {apt_line}"
    if os.environ.get("FUMIBAKO_CI") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)
