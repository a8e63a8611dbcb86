"""Opening sessions: the first while nothing else is under way, the others aside, so that no line waits for another."""

from __future__ import annotations

import os
import queue
import threading
from dataclasses import dataclass

import structlog
from django.db import OperationalError

from fumibako.apps.accounts.models import MailAccount
from fumibako.delivery.decision import Standing, decide_session
from fumibako.delivery.outcome import Stage
from fumibako.services.mailer import Carrier, SmtpRoute, Trouble, TroubleKind, open_session

from .. import ledger
from .around import Around

log = structlog.get_logger("fumibako.sending")

LASTING = frozenset(
    {
        *(kind for kind in TroubleKind if kind.startswith("certificate_")),
        TroubleKind.NOT_LOOPBACK,
        TroubleKind.PLAIN_ON_SSL,
        TroubleKind.SSL_ON_PLAIN,
        TroubleKind.STARTTLS_MISSING,
        TroubleKind.TLS_TOO_OLD,
        TroubleKind.INJECTED_PLAINTEXT,
        TroubleKind.LOGIN_REFUSED,
        TroubleKind.PASSWORD_LOGIN_DISABLED,
        TroubleKind.ENCRYPTION_REQUIRED,
        TroubleKind.LOGIN_REQUIRED,
        TroubleKind.MECHANISM_MISSING,
        TroubleKind.POP_LOGIN_REFUSED,
        "settings_broken",
    }
)
"""Trouble that trying again does not heal."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why no session came about."""

    stage: Stage
    code: int
    kind: str
    text: str


class Sessions:
    """Opens the sessions of one account."""

    def __init__(self, account_id: int, around: Around) -> None:
        self._account_id = account_id
        self._around = around
        self._came: queue.SimpleQueue[Carrier | _Trouble] = queue.SimpleQueue()
        self._bell, self._rope = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.opening_count = 0
        """How many are being opened aside."""

    @property
    def bell(self) -> int:
        """A descriptor that can be read when a session has come about, or not."""
        return self._bell

    def open(self) -> Carrier | ledger.Wait:
        """Open one and wait for it."""
        found, seen_count = self._attempt()
        return found if isinstance(found, Carrier) else self._tell(found, seen_count)

    def open_aside(self) -> None:
        """Begin to open one more; it comes by `arrivals`."""
        route = self._route()
        if isinstance(route, SmtpRoute):
            self.opening_count += 1
            threading.Thread(target=self._open_aside, args=(route,), name="session", daemon=True).start()

    def arrivals(self) -> tuple[list[Carrier], bool]:
        """The sessions that came about since the last time, and whether the server refused one beside the others."""
        try:
            os.read(self._bell, 1024)
        except BlockingIOError:
            return [], False
        found = []
        while not self._came.empty():
            found.append(self._came.get())
        self.opening_count -= len(found)
        troubles = [one for one in found if isinstance(one, _Trouble)]
        for trouble in troubles:
            # The server takes us, only not as often as we would like: no trouble of the account.
            log.warning("no_further_session", account=self._account_id, kind=trouble.kind, code=trouble.code)
        return [one for one in found if isinstance(one, Carrier)], bool(troubles)

    def close(self) -> None:
        """Wait for what is being opened, and let go of it."""
        for _ in range(self.opening_count):
            found = self._came.get()
            if isinstance(found, Carrier):
                found.break_off("nothing to send")
        os.close(self._bell)
        os.close(self._rope)

    def _attempt(self) -> tuple[Carrier | _Trouble, int]:
        seen_count = ledger.trouble_count_of(self._account_id)
        route = self._route()
        return (route if isinstance(route, _Trouble) else _open(route)), seen_count

    def _route(self) -> SmtpRoute | _Trouble:
        account = MailAccount.objects.get(pk=self._account_id)
        try:
            return self._around.route_of(account)
        except OperationalError:
            raise
        except Exception as error:  # boundary: settings that lead nowhere stop their own account, nothing else
            return _broken(error)

    def _open_aside(self, route: SmtpRoute) -> None:
        self._came.put(_open(route))
        try:
            os.write(self._rope, b"!")
        except OSError:
            # Nobody is waiting any more: `close` took the session from the queue.
            return

    def _tell(self, trouble: _Trouble, seen_count: int) -> ledger.Wait:
        log.warning("no_session", account=self._account_id, kind=trouble.kind, stage=trouble.stage, code=trouble.code)
        standing = Standing(trouble_count=seen_count, seed=self._account_id)
        move = decide_session(
            trouble.stage,
            trouble.code,
            trouble.kind,
            standing,
            self._around.policy,
            is_lasting=trouble.kind in LASTING,
        )
        now = self._around.now()
        ledger.note_trouble(self._account_id, move, seen_count=seen_count, now=now, text=trouble.text)
        return ledger.outlook(self._account_id, now) or ledger.Wait("trouble", now)


def _open(route: SmtpRoute) -> Carrier | _Trouble:
    try:
        return open_session(route)
    except Trouble as trouble:
        return _Trouble(trouble.stage, trouble.code, trouble.kind, trouble.text)
    except Exception as error:  # boundary: settings that lead nowhere stop their own account, nothing else
        return _broken(error)


def _broken(error: Exception) -> _Trouble:
    log.error("no_route", error=error)
    return _Trouble(Stage.NAME, 0, "settings_broken", "")
