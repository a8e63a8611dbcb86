"""`demo`: everything at once with invented people and a practice mail server; `demo --check`: the circle by machine."""

from __future__ import annotations

import argparse
import os
import tempfile
import webbrowser

from fumibako.cli.refused import Refused
from fumibako.cli.starting import start_django

FEWEST_PEOPLE, MOST_PEOPLE = 40, 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--port, --no-browser, --people, --check."""
    parser.add_argument("--port", type=int, help="画面のポート番号(初期値は 8000、使われていれば空いている番号)")
    parser.add_argument("--no-browser", action="store_true", help="ブラウザを開きません")
    parser.add_argument("--people", type=int, metavar="N", help="見本の人数(初期値 387)")
    parser.add_argument("--check", action="store_true", help="一時フォルダーで一周を試し、結果を JSON 1行で出します")


def run(args: argparse.Namespace) -> int:
    """Start the demonstration, or check the circle."""
    if args.check:
        return _check()
    if args.port is not None and not 0 <= args.port <= 65535:
        raise Refused(f"ポート番号は 0〜65535 の数字です({args.port})。")
    if args.people is not None and not FEWEST_PEOPLE <= args.people <= MOST_PEOPLE:
        raise Refused(f"見本の人数は {FEWEST_PEOPLE}〜{MOST_PEOPLE} です({args.people})。")
    start_django()
    from fumibako.cli.demo_office import run_demo

    return run_demo(args, webbrowser.open if has_screen() and not args.no_browser else None)


def has_screen() -> bool:
    """True where opening a browser makes sense."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _check() -> int:
    # A folder and a database of its own: whatever this installation holds stays out of it.
    os.environ.pop("FUMIBAKO_DATABASE_URL", None)
    with tempfile.TemporaryDirectory(prefix="fumibako-check-") as folder:
        os.environ["FUMIBAKO_DATA"] = folder
        start_django()
        from fumibako.cli.demo_check import run_check

        return run_check()
