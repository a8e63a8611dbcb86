"""`_web`: the web child of `serve`, on the listening socket that it inherits."""

from __future__ import annotations

import argparse

from django.conf import settings

from fumibako import logs
from fumibako.background.webchild import run_web
from fumibako.web.wsgi import application


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The number of the inherited descriptor."""
    parser.add_argument("descriptor", type=int)


def run(args: argparse.Namespace) -> int:
    """Serve pages until SIGTERM, or until the parent is gone."""
    logs.set_up("web", settings.DATA.logs)
    run_web(application, args.descriptor)
    return 0
