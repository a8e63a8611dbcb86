"""A wire with a length: hands bytes on in both directions, each after half a round trip."""

from __future__ import annotations

import argparse
import selectors
import socket
import time
from collections import deque
from dataclasses import dataclass, field


@dataclass(eq=False)
class _End:
    """One end: what it hears goes to `other` when it is due."""

    sock: socket.socket
    due: deque[tuple[float, bytes]] = field(default_factory=deque)
    other: _End | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where from, where to, how long."""
    parser.add_argument("port", type=int)
    parser.add_argument("target", type=int)
    parser.add_argument("round_trip_ms", type=float)


def run(args: argparse.Namespace) -> int:
    """Hand on until killed."""
    half = args.round_trip_ms / 2000
    selector = selectors.DefaultSelector()
    server = socket.create_server(("127.0.0.1", args.port), backlog=1000)
    selector.register(server, selectors.EVENT_READ)
    ends: set[_End] = set()
    while True:
        for key, _ in selector.select(_next_due(ends)):
            if key.fileobj is server:
                ends |= _joined(server.accept()[0], args.target, selector)
            else:
                _hear(key.data, time.monotonic() + half)
        for end in list(ends):
            if end in ends and not _hand_on(end):
                _part(end, ends, selector)


def _joined(near: socket.socket, target: int, selector: selectors.BaseSelector) -> set[_End]:
    far = socket.create_connection(("127.0.0.1", target))
    pair = _End(near), _End(far)
    pair[0].other, pair[1].other = pair[1], pair[0]
    for end in pair:
        end.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(end.sock, selectors.EVENT_READ, end)
    return set(pair)


def _next_due(ends: set[_End]) -> float | None:
    first = min((end.due[0][0] for end in ends if end.due), default=None)
    return None if first is None else max(0.0, first - time.monotonic())


def _hear(end: _End, at: float) -> None:
    try:
        raw = end.sock.recv(65536)
    except OSError:
        raw = b""
    if raw or not end.due or end.due[-1][1]:
        end.due.append((at, raw))


def _hand_on(end: _End) -> bool:
    """Give on what is due. Returns False when the end of the line was due."""
    now = time.monotonic()
    while end.due and end.due[0][0] <= now:
        _, raw = end.due.popleft()
        assert end.other is not None
        if not raw:
            return False
        try:
            end.other.sock.sendall(raw)
        except OSError:
            return False
    return True


def _part(end: _End, ends: set[_End], selector: selectors.BaseSelector) -> None:
    for one in (end, end.other):
        if one is not None and one in ends:
            selector.unregister(one.sock)
            one.sock.close()
            ends.discard(one)
