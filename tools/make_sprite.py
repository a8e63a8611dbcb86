"""Makes src/fumibako/web/static/icons.svg: the icons named in tools/icons.txt, taken from a lucide-static tarball.

Run: python tools/make_sprite.py lucide-static-1.62.0.tgz
"""

from __future__ import annotations

import re
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE.parent / "src/fumibako/web/static/icons.svg"
INNER = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
LICENCE = "Lucide 1.62.0, ISC License, (c) Lucide Icons and Contributors; parts MIT, (c) Cole Bemis (Feather)"


def symbol(archive: tarfile.TarFile, name: str) -> str:
    """Returns the drawing of one icon as a <symbol>. Raises KeyError when the set has no such icon."""
    member = archive.extractfile(f"package/icons/{name}.svg")
    drawing = INNER.search(member.read().decode()) if member else None
    if drawing is None:
        raise KeyError(name)
    shapes = re.sub(r"\s*\n\s*", "", drawing[1]).replace(" />", "/>")
    return f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>'


def main() -> None:
    """Writes the sprite."""
    names = sorted({line.strip() for line in (HERE / "icons.txt").read_text().splitlines() if line.strip()})
    with tarfile.open(sys.argv[1]) as archive:
        symbols = [symbol(archive, name) for name in names]
    lines = ['<svg xmlns="http://www.w3.org/2000/svg">', f"<!-- {LICENCE} -->", *symbols, "</svg>", ""]
    TARGET.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
