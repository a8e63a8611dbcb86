"""`serve`: web and worker under one parent that holds the listening socket and brings a dead child back."""

from __future__ import annotations

import argparse
import ipaddress
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.utils import timezone

from fumibako import logs
from fumibako.apps.office.actions import issue_setup_ticket
from fumibako.apps.office.queries import has_administrator, outbound_hold
from fumibako.background import supervisor
from fumibako.cli.printing import note, tell
from fumibako.cli.refused import CouldNotRun, Refused
from fumibako.cli.starting import folder_in_hand, require_safe

log = structlog.get_logger("fumibako.serve")

PORT = 8000
MOST_WORKERS = 8
CHILD_WORDS = {"web": "画面の処理", "worker": "送信の処理"}
HELD = (
    "復元または複製されたデータのため、送信も受信もしません。元のふみばこが動いていないことを確かめて、"
    "「動作状況」の画面か「./fumibako release」で解除してください。"
)
PUBLIC_WITHOUT_NAME = (
    "ほかのコンピューターから使うときは、このコンピューターの名前を FUMIBAKO_HOSTS に指定してください"
    "(例: FUMIBAKO_HOSTS=fumibako.example.jp ./fumibako serve --host 0.0.0.0)。"
)


@dataclass(frozen=True, slots=True)
class Opening:
    """Where the screens are: the address to print, and whether it is the first administrator's one-time link."""

    url: str
    is_set_up_link: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--host, --port, --workers."""
    parser.add_argument("--host", default="127.0.0.1", help="受け付けるアドレス(初期値 127.0.0.1)")
    parser.add_argument("--port", type=port_number, default=PORT, help=f"受け付けるポート番号(初期値 {PORT})")
    parser.add_argument("--workers", type=worker_count, default=1, help="送信の処理の数(初期値 1)")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl+C."""
    require_name_for(args.host)
    with folder_in_hand():
        require_safe()
        with closing(listen(args.host, args.port)) as listener:
            opening = opening_of(listener)
            announce(args, opening)
            serve_on(listener, args.workers)
    return 0


def port_number(text: str) -> int:
    """0 (any free one) to 65535."""
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"ポート番号は 0〜65535 の数字です({text})")
    return int(text)


def worker_count(text: str) -> int:
    """1 to 8."""
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"送信の処理の数は 1〜{MOST_WORKERS} です({text})")
    return int(text)


def require_name_for(host: str) -> None:
    """Raises Refused when others could reach us by a name that nobody has told us (X39)."""
    if not is_loopback(host) and not os.environ.get("FUMIBAKO_HOSTS"):
        raise Refused(PUBLIC_WITHOUT_NAME)


def is_loopback(host: str) -> bool:
    """True for localhost and the addresses of this computer alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket. Raises CouldNotRun when the address is taken or not ours."""
    try:
        return supervisor.open_listener(host, port)
    except OSError as trouble:
        why = os.strerror(trouble.errno) if trouble.errno else str(trouble)
        advice = "ほかの番号を --port で指定してください。"
        raise CouldNotRun(f"{host} の {port}番を使えません({why})。{advice}") from trouble


def opening_of(listener: socket.socket) -> Opening:
    """Return the address for the browser; without an administrator, with a new one-time link (30 minutes)."""
    host, port = listener.getsockname()[:2]
    if not is_loopback(host):
        host = settings.ALLOWED_HOSTS[0].lstrip(".")
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    url = f"http://{host}:{port}/"
    if has_administrator():
        return Opening(url, False)
    return Opening(f"{url}setup/?k={issue_setup_ticket(timezone.now())}", True)


def announce(args: argparse.Namespace, opening: Opening) -> None:
    """Print the address as the last line before waiting."""
    if outbound_hold():
        note(HELD)
    if opening.is_set_up_link:
        note("最初の管理者を登録するアドレスです。30分以内に開いてください。")
    note("ブラウザで開いてください(終わるときは Ctrl+C)。")
    tell(args, {"url": opening.url, "is_set_up_link": opening.is_set_up_link}, opening.url)


def serve_on(listener: socket.socket, count: int) -> None:
    """Keep web and workers alive until told to stop."""
    logs.set_up("serve", settings.DATA.logs)
    os.environ["FUMIBAKO_DATA"] = str(settings.DATA.root)
    descriptor = listener.fileno()
    plans = [supervisor.ChildPlan("web", _command("_web", str(descriptor)), (descriptor,))]
    names = ["worker", *(f"worker-{number}" for number in range(2, count + 1))]
    plans += [supervisor.ChildPlan(name, _command("worker")) for name in names]
    supervisor.serve(plans, note=_Notes().tell)


def _command(*words: str) -> Sequence[str]:
    return (sys.executable, "-P", "-m", "fumibako", *words)


class _Notes:
    """What the parent says about its children: everything to the log, accidents to the person."""

    def __init__(self) -> None:
        self._has_fallen: set[str] = set()

    def tell(self, what: str, name: str) -> None:
        """Note one start or end."""
        log.info("child", child=name, what=what)
        words = CHILD_WORDS[name.partition("-")[0]]
        if what == "started" and name in self._has_fallen:
            note(f"{words}を動かし直しました。")
        elif what != "started" and what != "ended with 0":
            self._has_fallen.add(name)
            note(f"{words}が止まりました。")
