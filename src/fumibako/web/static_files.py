"""Style sheets, scripts and icons, served below an address that names their very content.

The address changes when any file changes, so browsers may keep every file for ever, and a script may import its
neighbour by a plain relative address.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

STATIC = Path(__file__).parent / "static"


def content_digest() -> str:
    """Return 12 hex digits that stand for the names and bytes of all static files."""
    total = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            total.update(f"{path.relative_to(STATIC)}\0{path.stat().st_size}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()[:12]


def never_changes(path: str, url: str) -> bool:
    """Tell the file server that what an address names stays as it is."""
    return True
