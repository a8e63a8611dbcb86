"""`python -m fumibako`: the command line."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    from fumibako.cli import main
    from fumibako.cli.starting import close_database

    code = main(sys.argv[1:])
    close_database()
    sys.exit(code)
