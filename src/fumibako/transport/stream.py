"""One line to one server: bytes in and out of a socket, every wait with an absolute deadline."""

from __future__ import annotations

import math
import select
import socket
import ssl
import time
from collections.abc import Callable

from fumibako.protocol.errors import LineLost, TooSlow
from fumibako.protocol.lines import NO_VEIL, Inbox, Veil
from fumibako.protocol.patience import Patience
from fumibako.transport.tls import TlsFacts, TlsTerms, context_of, facts_of, failure_of, require_pin

_BLOCK = 64 * 1024


class Stream:
    """A connected socket, plain or TLS, with what it has brought and nobody has read yet.

    Takes over `sock`. `give_up_at` (a time of `clock`) caps every deadline. Raises only RemoteErrors; after one the
    stream is of no more use.
    """

    def __init__(
        self,
        sock: socket.socket,
        patience: Patience,
        *,
        tls_terms: TlsTerms,
        veil: Veil = NO_VEIL,
        clock: Callable[[], float] = time.monotonic,
        give_up_at: float = math.inf,
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._poll = select.poll()
        self._poll.register(sock.fileno(), 0)
        self._tls_terms = tls_terms
        self._give_up_at = give_up_at
        self.patience = patience
        self.clock = clock
        self.inbox = Inbox(veil)
        self.is_open = True
        self._tls_in_use: tuple[str, bytes | None] | None = None
        self._has_more = False

    def read(self, until: float) -> bytes:
        """Return some bytes, at least one. Raises LineLost, TooSlow."""
        while True:
            self._require_open()
            if not self._has_more and not self._has_decrypted():
                self._wait(select.POLLIN, until)
            raw = self._receive()
            # After a full block there is hardly ever nothing: the next read asks first and waits afterwards.
            self._has_more = len(raw) == _BLOCK
            if raw:
                return raw

    def write(self, raw: bytes) -> None:
        """Give all of `raw` to the kernel. Raises LineLost, or TooSlow when the peer stops taking bytes."""
        rest = memoryview(raw)
        until = self.clock() + self.patience.body
        while rest:
            self._require_open()
            try:
                rest = rest[self._sock.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(select.POLLOUT, min(until, self.clock() + self.patience.block))
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, min(until, self.clock() + self.patience.block))
            except OSError as error:
                raise _lost(error) from None

    def look(self) -> None:
        """Put what has already arrived into the inbox, without waiting. Raises LineLost when the peer hung up."""
        self._require_open()
        if self._has_decrypted() or self._events(select.POLLIN, 0):
            self.inbox.feed(self._receive())

    @property
    def descriptor(self) -> int:
        """What the operating system waits for, for whoever watches several lines at once."""
        return self._sock.fileno()

    def arrive(self) -> bool:
        """Put what is there into the inbox, without waiting; return whether anything was. Raises LineLost."""
        self._require_open()
        has_come = False
        while raw := self._receive():
            self.inbox.feed(raw)
            has_come = True
            # The operating system does not tell of what TLS has decrypted already.
            if not self._has_decrypted():
                break
        return has_come

    def push(self, raw: memoryview) -> int:
        """Give the kernel what it takes of `raw` now; return how many bytes. Raises LineLost."""
        self._require_open()
        try:
            return self._sock.send(raw)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return 0
        except OSError as error:
            raise _lost(error) from None

    def start_tls(self) -> None:
        """Turn to TLS. Raises TlsFailed, LineLost, TooSlow."""
        self._require_open()
        until = self.clock() + self.patience.tls
        try:
            self._sock = secured = context_of(self._tls_terms).wrap_socket(
                self._sock,
                server_hostname=self._tls_terms.host,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )
            self._shake_hands(secured, until)
        except ssl.SSLEOFError as error:
            raise _lost(error) from None
        except ssl.SSLError as error:
            raise failure_of(error) from None
        except (OSError, ValueError) as error:
            raise _lost(error) from None
        raw = secured.getpeercert(binary_form=True)
        require_pin(raw, self._tls_terms)
        self._tls_in_use = (secured.version() or "", raw)

    def tls_facts(self) -> TlsFacts | None:
        """Return what is known about the TLS in use, None while the line is plain."""
        if self._tls_in_use is None:
            return None
        version, raw = self._tls_in_use
        return TlsFacts(version, facts_of(raw))

    def close(self) -> None:
        """Close at once. Closing twice is harmless."""
        self.is_open = False
        self._sock.close()

    def _shake_hands(self, secured: ssl.SSLSocket, until: float) -> None:
        while True:
            try:
                secured.do_handshake()
                return
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, until)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, until)

    def _receive(self) -> bytes:
        try:
            raw = self._sock.recv(_BLOCK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError as error:
            raise _lost(error) from None
        if not raw:
            raise LineLost("the server closed the line")
        return raw

    def _has_decrypted(self) -> bool:
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def _wait(self, event: int, until: float) -> None:
        until = min(until, self._give_up_at)
        while not self._events(event, until - self.clock()):
            if self.clock() >= until:
                raise TooSlow("no answer in time" if event == select.POLLIN else "the server stopped taking our bytes")

    def _events(self, event: int, seconds: float) -> bool:
        self._poll.modify(self._sock.fileno(), event)
        return bool(self._poll.poll(max(0, math.ceil(min(seconds, 3600) * 1000))))

    def _require_open(self) -> None:
        if not self.is_open:
            raise LineLost("the line is closed")


def _lost(error: Exception) -> LineLost:
    words = getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__
    return LineLost(f"the line broke: {words}"[:200])
