"""The Dovecot that `bench receive` starts, with a certificate of a test's own authority."""

from __future__ import annotations

from pathlib import Path

from fumibako.cli.bench import dovecot
from fumibako.cli.bench.dovecot import PASSWORD, USER
from tests.support.peers.certificates import Authority
from tests.support.tools import require_tool

__all__ = ["APT", "PASSWORD", "USER", "Dovecot"]

APT = "sudo apt install dovecot-pop3d"


class Dovecot(dovecot.Dovecot):
    """The server, in the foreground while the `with` block runs. `folder` must be short enough for its sockets."""

    def __init__(self, folder: Path, *, host: str = "mx.example.jp") -> None:
        program = require_tool("dovecot", APT)
        if not Path("/usr/lib/dovecot/pop3").exists():
            require_tool("pop3", APT, folders=(Path("/usr/lib/dovecot"),))
        self.authority = Authority(folder)
        certificate = self.authority.server(host)
        self.certificate_sha256 = certificate.sha256
        super().__init__(program, folder, certificate.path)
