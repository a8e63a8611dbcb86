"""From a server's name to a connected line, within bounded time."""

from __future__ import annotations

import errno
import ipaddress
import math
import queue
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fumibako.delivery.outcome import Stage
from fumibako.protocol.errors import RemoteError
from fumibako.protocol.patience import Patience

Lookup = Callable[..., list[Any]]


class Miss(StrEnum):
    """Why there is no line."""

    NAME_NOT_FOUND = "name_not_found"
    NAME_TIMEOUT = "name_timeout"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    NO_ROUTE = "no_route"
    NOT_LOOPBACK = "not_loopback"


class NotConnected(RemoteError):
    """No line came about, and nothing was said."""

    def __init__(self, miss: Miss, detail: str, *, stage: Stage) -> None:
        super().__init__(detail, stage=stage)
        self.miss = miss


@dataclass(frozen=True, slots=True)
class Address:
    """One place where the server may be: what `socket.socket` and `connect` need."""

    family: int
    place: tuple[Any, ...]

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine."""
        return _is_loopback(str(self.place[0]))


def resolve(host: str, port: int, patience: Patience, *, lookup: Lookup = socket.getaddrinfo) -> tuple[Address, ...]:
    """Return the addresses of `host`, in the system's order of preference. Raises NotConnected."""
    found: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found.put(lookup(host, port, 0, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.put(error)

    # getaddrinfo cannot be interrupted; a thread left behind ends by itself when the system gives up.
    threading.Thread(target=ask, name="name-lookup", daemon=True).start()
    try:
        answer = found.get(timeout=patience.name)
    except queue.Empty:
        raise NotConnected(Miss.NAME_TIMEOUT, "the name service did not answer", stage=Stage.NAME) from None
    if isinstance(answer, socket.gaierror) and answer.errno in (socket.EAI_AGAIN, socket.EAI_SYSTEM):
        raise NotConnected(Miss.NAME_TIMEOUT, "the name service is not available", stage=Stage.NAME)
    if isinstance(answer, Exception) or not answer:
        raise NotConnected(Miss.NAME_NOT_FOUND, "no such name", stage=Stage.NAME)
    return tuple(dict.fromkeys(Address(int(entry[0]), tuple(entry[4])) for entry in answer))


def connect(
    addresses: tuple[Address, ...],
    patience: Patience,
    *,
    is_loopback_only: bool = False,
    clock: Callable[[], float] = time.monotonic,
    give_up_at: float = math.inf,
) -> socket.socket:
    """Try the addresses in turn: each has its share of what is left of `patience.connect`. Raises NotConnected.

    With `is_loopback_only` no other machine is spoken to, not even to open a connection.
    """
    if is_loopback_only:
        addresses = tuple(address for address in addresses if address.is_loopback)
        if not addresses:
            raise NotConnected(Miss.NOT_LOOPBACK, "the server is not this machine", stage=Stage.CONNECT)
    until = min(clock() + patience.connect, give_up_at)
    misses: dict[Miss, str] = {}
    for position, address in enumerate(addresses):
        share = (until - clock()) / (len(addresses) - position)
        try:
            return _connect_one(address, min(patience.address, share), is_loopback_only)
        except OSError as error:
            misses.setdefault(_miss_of(error), error.strerror or "no answer")
    # "Refused" tells most: the machine is there. "No route" tells least.
    miss = next(kind for kind in (Miss.NOT_LOOPBACK, Miss.REFUSED, Miss.TIMEOUT, Miss.NO_ROUTE) if kind in misses)
    raise NotConnected(miss, misses[miss], stage=Stage.CONNECT)


def _connect_one(address: Address, seconds: float, is_loopback_only: bool) -> socket.socket:
    with ExitStack() as on_failure:
        sock = on_failure.enter_context(closing(socket.socket(address.family, socket.SOCK_STREAM)))
        sock.setblocking(False)
        code = sock.connect_ex(address.place)
        if code == errno.EINPROGRESS:
            poll = select.poll()
            poll.register(sock.fileno(), select.POLLOUT)
            if not poll.poll(max(0, math.ceil(seconds * 1000))):
                raise TimeoutError(errno.ETIMEDOUT, "no answer")
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, errno.errorcode.get(code, str(code)))
        if is_loopback_only and not _is_loopback(str(sock.getpeername()[0])):
            raise PermissionError(errno.EPERM, "the connected server is not this machine")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        on_failure.pop_all()
    return sock


def _miss_of(error: OSError) -> Miss:
    if isinstance(error, PermissionError) and error.errno == errno.EPERM:
        return Miss.NOT_LOOPBACK
    if isinstance(error, ConnectionRefusedError):
        return Miss.REFUSED
    return Miss.TIMEOUT if isinstance(error, TimeoutError) else Miss.NO_ROUTE


def _is_loopback(host: str) -> bool:
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback
