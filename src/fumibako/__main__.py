"""`python -m fumibako`: the command line."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    from fumibako.cli import main

    sys.exit(main(sys.argv[1:]))
