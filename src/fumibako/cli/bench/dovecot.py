"""A Dovecot of our own on loopback, with its folders, its mailboxes, and nobody else's."""

from __future__ import annotations

import grp
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

USER, PASSWORD = "desk", "himitsu-no-kotoba"
READY_SECONDS = 10.0

_SETTINGS = """
protocols = pop3
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{certificate}
disable_plaintext_auth = no
auth_mechanisms = plain
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
mail_max_userip_connections = 100
{people}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service pop3-login {{
  {chroot}
  inet_listener pop3 {{
    port = {plain_port}
  }}
  inet_listener pop3s {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  {chroot}
}}
"""
_SHORT_OF_ROOT = """
default_internal_user = {name}
default_internal_group = {group}
default_login_user = {name}
"""


class NotStarted(Exception):
    """The server did not open its ports; the text is what its log says."""


class Dovecot:
    """The server, in the foreground while the `with` block runs. `folder` must be short enough for its sockets.

    `certificate` holds the certificate and its key (PEM).
    """

    def __init__(self, program: str, folder: Path, certificate: Path) -> None:
        self._program = program
        self._folder = folder
        self._certificate = certificate
        self._owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.plain_port, self.tls_port = _free_port(), _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0

    def __enter__(self) -> Self:
        settings = self._folder / "dovecot.conf"
        settings.write_text(self._settings(), "utf-8")
        for name in ("mail", "run", "state"):
            (self._folder / name).mkdir(exist_ok=True)
        self._give(self._folder / "mail")
        for parent in (self._folder, *self._folder.parents[:-1]):
            # Dovecot's mail process is nobody; temporary folders are closed to others.
            if parent.stat().st_uid == os.geteuid() and parent != Path("/tmp"):
                parent.chmod(parent.stat().st_mode | 0o011)
        self._process = subprocess.Popen(
            [self._program, "-F", "-c", str(settings)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        for port in (self.plain_port, self.tls_port):
            self._wait_for(port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            # Its own group, so that the login processes go with it.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()

    def deliver(self, mails: Iterable[bytes], user: str = USER) -> None:
        """Put mails into a mailbox, as files, oldest first."""
        box = self._folder / "mail" / user
        for name in ("cur", "new", "tmp"):
            (box / name).mkdir(parents=True, exist_ok=True)
            self._give(box / name)
        self._give(box)
        for raw in mails:
            self._count += 1
            path = box / "cur" / f"{1_700_000_000 + self._count}.M{self._count:06d}.mx:2,"
            path.write_bytes(raw)
            os.utime(path, (1_700_000_000 + self._count,) * 2)
            self._give(path)

    def count(self, user: str = USER) -> int:
        """How many mails are in a mailbox."""
        return sum(1 for name in ("cur", "new") for _ in (self._folder / "mail" / user / name).iterdir())

    def _give(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)

    def _settings(self) -> str:
        is_root = os.geteuid() == 0
        group = self._owner.pw_gid
        names = {"name": self._owner.pw_name, "group": grp.getgrgid(group).gr_name}
        return _SETTINGS.format(
            folder=self._folder,
            certificate=self._certificate,
            people="" if is_root else _SHORT_OF_ROOT.format(**names),
            chroot="" if is_root else "chroot =",
            password=PASSWORD,
            uid=self._owner.pw_uid,
            gid=group,
            plain_port=self.plain_port,
            tls_port=self.tls_port,
        )

    def _wait_for(self, port: int) -> None:
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        log = self._folder / "dovecot.log"
        raise NotStarted(log.read_text("utf-8") if log.exists() else "no log")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
