"""Plays a dialogue written down as text, so that a conversation can be tested without a network.

A dialogue file begins with a remark and settings, then has one line for each line on the wire:
`C: ` what we must say, `S: ` what the server says, `S!: ` the same with Python escapes and no CRLF added,
`S: <close>` the line breaks, `S: <silence>` nothing comes until the deadline, `S: <tls>` the handshake succeeds,
`M:` the durable mark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from fumibako.delivery.outcome import Outcome
from fumibako.protocol.errors import Garbage, LineLost, RemoteError, TooSlow
from fumibako.protocol.lines import Inbox, Veil
from fumibako.protocol.patience import Patience
from fumibako.protocol.smtp.deliver import deliver
from fumibako.protocol.smtp.envelope import Envelope
from fumibako.protocol.smtp.session import Terms
from fumibako.protocol.transcript import Transcript
from fumibako.services.opening import PopTalk, SmtpTalk, Talk
from fumibako.services.trouble import kind_of
from fumibako.transport.converse import converse
from fumibako.transport.relay import Part, Relay
from tests.support.peers.pop_words import pop_words

CONTENT = b"Subject: hello\r\n\r\n.hidden\r\nbye\r\n"
USER, PASSWORD = "office@example.jp", "o-himitsu"


@dataclass(frozen=True)
class Dialogue:
    """One file: its settings, and the events on the wire as (who, bytes)."""

    name: str
    settings: dict[str, str]
    events: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class Played:
    """What came of a dialogue: the result in words, what we wrote, and whether the line can be used again."""

    result: str
    written: bytes
    is_open: bool
    refused_copies: tuple[str, ...] = ()
    transcript: tuple[str, ...] = ()
    text: str = ""


def load(path: Path) -> Dialogue:
    """Read a dialogue file."""
    settings: dict[str, str] = {}
    events: list[tuple[str, bytes]] = []
    for line in path.read_text("utf-8").splitlines():
        who, _, said = line.partition(": ")
        if who in ("C", "S"):
            events.append((said, b"") if said.startswith("<") else (who, said.encode() + b"\r\n"))
        elif who == "S!":
            events.append(("S", said.encode("latin-1").decode("unicode_escape").encode("latin-1")))
        elif line == "M:":
            events.append(("M", b""))
        elif line and not line.startswith("#"):
            settings[who] = said
    return Dialogue(path.stem, settings, tuple(events))


@dataclass
class ScriptedWire:
    """A line whose other end follows a script, and whose bytes arrive in pieces of `piece` (0: whole packets)."""

    events: list[tuple[str, bytes]]
    piece: int = 0
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = lambda: 0.0
    is_open: bool = True
    written: bytes = b""
    writes: list[bytes] = field(default_factory=list)
    inbox: Inbox = field(default_factory=lambda: Inbox(Veil(PASSWORD, f"\0{USER}\0{PASSWORD}")))
    _heard_by_peer: bytes = b""
    _arriving: bytes = b""

    def read(self, until: float) -> bytes:
        self._require_open()
        self._advance()
        if self._arriving:
            return self._take()
        if self.events and self.events[0][0] == "<close>":
            raise LineLost("the server closed the line")
        raise TooSlow("no answer in time")

    def write(self, raw: bytes) -> None:
        self._require_open()
        self.written += raw
        self.writes.append(raw)
        self._heard_by_peer += raw

    def arrive(self) -> bool:
        before = bool(self.inbox), len(self.events), len(self._arriving)
        self.look()
        return before != (bool(self.inbox), len(self.events), len(self._arriving))

    def push(self, raw: memoryview) -> int:
        self.write(bytes(raw))
        return len(raw)

    def look(self) -> None:
        self._require_open()
        self._advance()
        if self._arriving:
            self.inbox.feed(self._take())
        elif self.events and self.events[0][0] == "<close>":
            raise LineLost("the server closed the line")

    def start_tls(self) -> None:
        assert self.events.pop(0)[0] == "<tls>", "TLS began where the script has none"

    def mark(self) -> None:
        """The durable mark: must come exactly where the script says so."""
        self._advance()
        assert self.events.pop(0)[0] == "M", "the mark came at the wrong place"

    def close(self) -> None:
        self.is_open = False

    def heard_so_far(self) -> None:
        """What was written until now needs no line in the script."""
        self._heard_by_peer = b""

    @property
    def has_more(self) -> bool:
        """Whether something has arrived, or the line has broken."""
        self._advance()
        return bool(self._arriving) or (bool(self.events) and self.events[0][0] == "<close>")

    def _advance(self) -> None:
        while self.events and not self._arriving:
            who, raw = self.events[0]
            if who == "C" and self._heard_by_peer.startswith(raw):
                self._heard_by_peer = self._heard_by_peer[len(raw) :]
            elif who == "S":
                self._arriving = raw
            else:
                return
            self.events.pop(0)
            while self._arriving and self.events and self.events[0][0] == "S":
                self._arriving += self.events.pop(0)[1]

    def _take(self) -> bytes:
        size = self.piece or len(self._arriving)
        taken, self._arriving = self._arriving[:size], self._arriving[size:]
        return taken

    def _require_open(self) -> None:
        if not self.is_open:
            raise LineLost("the line is closed")


def play(dialogue: Dialogue, piece: int = 0) -> Played:
    """Play `dialogue` with the server's bytes cut into pieces."""
    settings = dialogue.settings
    wire = ScriptedWire(list(dialogue.events), piece)
    transcript = Transcript(wire.inbox.veil)
    try:
        talk = _open(settings, wire, transcript)
    except RemoteError as error:
        kind = kind_of(error, 587, is_upgrade=True)
        return Played(
            f"trouble {kind} {error.stage}", wire.written, wire.is_open, (), tuple(transcript.lines), error.detail
        )
    if isinstance(talk, PopTalk):
        words = [f"pop {talk.message_count}"]
        try:
            words += pop_words(settings, wire, transcript)
        except RemoteError as error:
            words.append(f"{kind_of(error, 110, is_upgrade=False)} {error.stage}")
        return Played(" ".join(words), wire.written, wire.is_open, (), tuple(transcript.lines))
    assert isinstance(talk, SmtpTalk)
    copies = tuple(settings.get("copies", "").split())
    envelope = Envelope(settings.get("sender", "office@example.jp").removeprefix("<>"), "hanako@example.jp", copies)
    raw = settings["content"].encode("utf-8") + b"\r\n" if "content" in settings else CONTENT
    outcome = carried(Part(deliver(envelope, raw, talk.server)), wire)
    return _played(outcome, wire, transcript)


FIRST = Envelope("office@example.jp", "first@example.jp")


def play_behind(dialogue: Dialogue, piece: int = 0) -> tuple[Outcome, Played]:
    """Play the dialogue's mail said ahead behind the dot of another mail, which the server takes."""
    settings, events = dialogue.settings, list(dialogue.events)
    begin = next(at for at, (who, raw) in enumerate(events) if who == "C" and raw.startswith(b"MAIL"))
    answer = next(at for at in range(begin, len(events)) if events[at][0] != "C")
    wire = ScriptedWire(events[:begin], piece)
    talk = _open(settings, wire, Transcript(wire.inbox.veil))
    assert isinstance(talk, SmtpTalk)
    first = Part(deliver(FIRST, CONTENT, talk.server))
    copies = tuple(settings.get("copies", "").split())
    envelope = Envelope(settings.get("sender", "office@example.jp").removeprefix("<>"), "hanako@example.jp", copies)
    raw = settings["content"].encode("utf-8") + b"\r\n" if "content" in settings else CONTENT
    second = Part(deliver(envelope, raw, talk.server))
    wire.events += [("S", b"250 a\r\n250 b\r\n354 c\r\n")]
    relay: Relay[Outcome] = Relay(wire)
    relay.begin(first)
    while not relay.is_before_dot:
        relay.advance()
    wire.heard_so_far()
    wire.events += [("C", b".\r\n"), *events[begin:answer], ("S", b"250 2.0.0 taken\r\n"), *events[answer:]]
    relay.hand_over(wire.clock(), second)
    _carry_on(relay, second, wire)
    return first.result, _played(second.result, wire, Transcript(wire.inbox.veil))


def carried(part: Part[Outcome], wire: ScriptedWire) -> Outcome:
    """Play one mail on a relay, as a carrier does, until it is over; the script's silence is the end of patience."""
    relay: Relay[Outcome] = Relay(wire)
    relay.begin(part)
    _carry_on(relay, part, wire)
    return part.result


def _carry_on(relay: Relay[Outcome], part: Part[Outcome], wire: ScriptedWire) -> None:
    while not part.is_over:
        if relay.is_before_dot:
            wire.mark()
            relay.hand_over(wire.clock())
        elif wire.has_more:
            relay.advance()
        else:
            relay.break_off(TooSlow("no answer in time"))


def _open(settings: dict[str, str], wire: ScriptedWire, transcript: Transcript) -> Talk:
    auth = settings.get("auth", "")
    is_pop = settings.get("protocol") == "pop"
    talk: Talk = PopTalk(USER, PASSWORD) if is_pop else SmtpTalk(Terms("desk.example.jp", auth, USER, PASSWORD))
    converse(talk.greet(), wire, transcript=transcript)
    if settings.get("security") in ("starttls", "stls"):
        converse(talk.upgrade(), wire, transcript=transcript)
    if talk.login_stage:
        converse(talk.log_in(), wire, transcript=transcript)
    return talk


def _played(outcome: Outcome, wire: ScriptedWire, transcript: Transcript) -> Played:
    words = f"{outcome.verdict} {outcome.scope} {outcome.stage} {outcome.code} {outcome.enhanced}".strip()
    try:
        if wire.is_open:
            wire.look()
    except (LineLost, Garbage):
        wire.close()
    played = Played(words, wire.written, wire.is_open and not wire.inbox)
    return replace(played, refused_copies=outcome.refused_copies, transcript=tuple(transcript.lines), text=outcome.text)


def expected_bytes(dialogue: Dialogue) -> bytes:
    """Return everything the dialogue says we must write, up to "C: *" where it depends on the packets."""
    said = b"".join(raw for who, raw in dialogue.events if who == "C")
    return said.partition(b"*\r\n")[0]
