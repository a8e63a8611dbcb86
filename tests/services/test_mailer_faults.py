"""The mailer against real sockets that misbehave: what is said, what is never said, and what is concluded."""

from __future__ import annotations

import resource
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict
from fumibako.services.mailer import (
    Envelope,
    Patience,
    Secret,
    SmtpRoute,
    Surroundings,
    Trouble,
    TroubleKind,
)
from fumibako.transport import tls
from tests.support.mailer import Mailer
from tests.support.peers.certificates import Authority
from tests.support.peers.smtp import SmtpScript
from tests.support.peers.tcp import Peer, PeerLine

HOST = "mx.example.jp"
ENVELOPE = Envelope("staff@example.jp", "yamada@example.jp")
RAW = b"Subject: test\r\n\r\nhello\r\n.dot\r\n"
QUICK = Patience(
    name=2,
    address=2,
    connect=2,
    tls=2,
    greeting=0.3,
    command=0.3,
    login=2,
    data=2,
    block=0.3,
    body=5,
    dot=0.3,
    farewell=0.2,
)
PASSWORD = "himitsu-no-kotoba"


def at_home(host: str, port: int, *_: Any) -> list[Any]:
    """A name service that finds every name on this machine."""
    return socket.getaddrinfo("127.0.0.1", port, 0, socket.SOCK_STREAM)


def mailer_to(peer: Peer, patience: Patience = QUICK, **route: Any) -> Mailer:
    values: dict[str, Any] = {"security": "none", "patience": patience, **route}
    return Mailer(SmtpRoute(HOST, peer.port, **values), Surroundings(lookup=at_home))


def sent_through(script: Callable[[PeerLine], None], raw: bytes = RAW, patience: Patience = QUICK) -> Outcome:
    """Send one mail to a server that follows `script`."""
    with Peer(script) as peer:
        mailer = mailer_to(peer, patience)
        outcome = mailer.send(ENVELOPE, raw, lambda: None)
        mailer.close()
        return outcome


def trouble_with(script: Callable[[PeerLine], None], **route: Any) -> tuple[Trouble, bytes]:
    """The trouble that opening a session ends in, and all that was said until then."""
    with Peer(script) as peer:
        with pytest.raises(Trouble) as caught:
            mailer_to(peer, **route).ready()
        return caught.value, peer.received


# ------------------------------------------------------------------ before the session


def test_s01_nobody_listening_is_told_as_refused() -> None:
    with Peer(lambda line: None) as peer:
        port = peer.port
    with pytest.raises(Trouble) as caught:
        Mailer(SmtpRoute(HOST, port, "none"), Surroundings(lookup=at_home)).ready()
    assert (caught.value.kind, caught.value.stage) == (TroubleKind.REFUSED, Stage.CONNECT)


def test_s01_a_name_that_does_not_exist_is_told_as_such() -> None:
    def nobody(*_: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(Trouble) as caught:
        Mailer(SmtpRoute("smtp.exmaple.jp", 587), Surroundings(lookup=nobody)).ready()
    assert (caught.value.kind, caught.value.stage) == (TroubleKind.NAME_NOT_FOUND, Stage.NAME)


def test_s01_a_name_service_that_never_answers_is_given_up() -> None:
    is_over = threading.Event()

    def silent(*_: Any) -> list[Any]:
        is_over.wait(20)
        return []

    with pytest.raises(Trouble) as caught:
        Mailer(SmtpRoute(HOST, 587, patience=Patience(name=0.1)), Surroundings(lookup=silent)).ready()
    is_over.set()
    assert caught.value.kind is TroubleKind.NAME_TIMEOUT


def test_s02_a_server_that_never_greets_is_given_up() -> None:
    trouble, said = trouble_with(PeerLine.hold)
    assert (trouble.kind, trouble.stage, said) == (TroubleKind.NO_GREETING, Stage.GREETING, b"")


def test_s03_a_greeting_dribbled_byte_by_byte_does_not_move_the_deadline() -> None:
    trouble, said = trouble_with(lambda line: line.dribble(b"220-still here\r\n" * 100, 0.05))
    assert (trouble.kind, said) == (TroubleKind.NO_GREETING, b"")


def test_s05_an_endless_ehlo_answer_is_cut_and_takes_no_memory() -> None:
    def flood(line: PeerLine) -> None:
        line.say("220 mx.example.jp")
        line.hear()
        while True:
            line.say(b"250-X-FILLER " + b"x" * 900 + b"\r\n")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    trouble, _ = trouble_with(flood)
    grown_kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert trouble.kind is TroubleKind.GARBAGE
    assert grown_kilobytes < 8 * 1024


def test_s06_a_line_without_end_is_cut_and_its_text_is_safe_to_show() -> None:
    def endless(line: PeerLine) -> None:
        line.say(b"220 \x1b[31m\x00" + b"\xff" * 200_000)
        line.hold()

    trouble, _ = trouble_with(endless)
    assert trouble.kind is TroubleKind.GARBAGE
    assert len(trouble.text) <= 500
    assert trouble.text.isprintable()


def test_s40_dead_addresses_are_passed_over_for_the_one_that_answers() -> None:
    with Peer(lambda line: None) as gone:
        dead = gone.port
    with Peer(SmtpScript()) as peer:

        def several(host: str, port: int, *_: Any) -> list[Any]:
            return [*at_home(host, dead), *at_home(host, dead), *at_home(host, peer.port)]

        mailer = Mailer(SmtpRoute(HOST, peer.port, "none"), Surroundings(lookup=several))
        mailer.ready()
        assert mailer.is_alive
        mailer.close()


# ------------------------------------------------------------------ TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def _trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine trusts the authority of the tests."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    tls._context.cache_clear()
    yield
    tls._context.cache_clear()


def secured(context: ssl.SSLContext, *, from_the_start: bool = False) -> SmtpScript:
    extensions = ("AUTH LOGIN PLAIN",) if from_the_start else ("STARTTLS", "AUTH LOGIN PLAIN")
    return SmtpScript(extensions=extensions, tls=context, is_tls_from_the_start=from_the_start)


LOGIN: dict[str, Any] = {"auth": "LOGIN", "user": "staff", "password": Secret(PASSWORD)}


@pytest.mark.parametrize(("security", "from_the_start"), [("starttls", False), ("ssl", True)])
def test_a_certificate_in_order_leads_to_a_login_and_a_mail(
    authority: Authority, security: str, from_the_start: bool
) -> None:
    script = secured(authority.server(HOST).context(), from_the_start=from_the_start)
    with Peer(script) as peer:
        mailer = mailer_to(peer, Patience(), security=security, **LOGIN)
        outcome = mailer.send(ENVELOPE, RAW, lambda: None)
        mailer.close()
    assert outcome.verdict is Verdict.SENT
    assert script.mails == [(("yamada@example.jp",), RAW)]
    assert PASSWORD.encode() not in peer.received


BAD_CERTIFICATES: dict[str, tuple[TroubleKind, dict[str, Any], str]] = {
    "expired": (TroubleKind.CERTIFICATE_EXPIRED, {"valid_until": -timedelta(hours=1)}, HOST),
    "not yet valid": (TroubleKind.CERTIFICATE_NOT_YET_VALID, {"valid_from": timedelta(hours=1)}, HOST),
    "of another name": (TroubleKind.CERTIFICATE_NAME_MISMATCH, {}, "sv123.example.com"),
    "self-signed": (TroubleKind.CERTIFICATE_SELF_SIGNED, {"is_self_signed": True}, HOST),
}


@pytest.mark.parametrize("flaw", BAD_CERTIFICATES)
@pytest.mark.parametrize(("security", "from_the_start"), [("starttls", False), ("ssl", True)])
def test_s10_a_bad_certificate_is_named_and_nothing_secret_follows(
    authority: Authority, flaw: str, security: str, from_the_start: bool
) -> None:
    kind, dates, name = BAD_CERTIFICATES[flaw]
    certificate = authority.server(name, **dates)
    script = secured(certificate.context(), from_the_start=from_the_start)
    trouble, _ = trouble_with(script, security=security, **LOGIN)
    assert trouble.kind is kind
    assert trouble.extra["fingerprint"] == certificate.sha256
    assert not [command for command in script.commands if command.startswith("AUTH")]


def test_s10_a_certificate_of_an_unknown_issuer_is_named(tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "Somebody Else")
    trouble, _ = trouble_with(secured(stranger.server(HOST).context()), security="starttls", **LOGIN)
    assert trouble.kind is TroubleKind.CERTIFICATE_UNKNOWN_ISSUER


def test_s10_a_server_with_old_tls_only_is_told_as_such(authority: Authority) -> None:
    old = authority.server(HOST).context(newest=ssl.TLSVersion.TLSv1_1)
    trouble, _ = trouble_with(secured(old), security="starttls", **LOGIN)
    assert trouble.kind is TroubleKind.TLS_TOO_OLD


def test_s10_the_one_pinned_certificate_is_taken_and_any_other_refused(authority: Authority) -> None:
    pinned = authority.server("elsewhere.example.com", is_self_signed=True)
    with Peer(secured(pinned.context())) as peer:
        mailer = mailer_to(peer, security="starttls", pinned_sha256=pinned.sha256, **LOGIN)
        assert mailer.send(ENVELOPE, RAW, lambda: None).verdict is Verdict.SENT
        mailer.close()
    other = secured(authority.server(HOST).context())
    trouble, _ = trouble_with(other, security="starttls", pinned_sha256=pinned.sha256, **LOGIN)
    assert trouble.kind is TroubleKind.CERTIFICATE_CHANGED


def test_s09_without_starttls_not_one_byte_of_a_login_is_said() -> None:
    trouble, said = trouble_with(SmtpScript(extensions=("AUTH LOGIN PLAIN",)), security="starttls", **LOGIN)
    assert trouble.kind is TroubleKind.STARTTLS_MISSING
    assert b"AUTH" not in said


def test_s11_plaintext_behind_the_go_ahead_is_an_attack(authority: Authority) -> None:
    script = secured(authority.server(HOST).context())
    script.answers["STARTTLS"] = b"220 go\r\n250 injected\r\n"
    trouble, said = trouble_with(script, security="starttls", **LOGIN)
    assert trouble.kind is TroubleKind.INJECTED_PLAINTEXT
    assert b"AUTH" not in said


# ------------------------------------------------------------------ inside a mail


def test_s22_a_server_that_stops_reading_is_given_up_before_the_mark() -> None:
    def stopped_reading(line: PeerLine, command: str) -> None:
        line.say("354 go on")
        line.hold()

    marks: list[str] = []
    with Peer(SmtpScript({"DATA": stopped_reading})) as peer:
        mailer = mailer_to(peer)
        outcome = mailer.send(
            ENVELOPE, b"x" * 70 + b"\r\n" + b"y" * 70 + b"\r\n" * 9_000_000, lambda: marks.append("x")
        )
    assert (outcome.verdict, outcome.stage, marks) == (Verdict.UNREACHABLE, Stage.BODY, [])


def test_s23_a_reset_in_the_middle_of_the_content_is_before_the_mark() -> None:
    def reset(line: PeerLine, command: str) -> None:
        line.say("354 go on")
        line.hear_bytes(1000)
        line.reset()

    outcome = sent_through(SmtpScript({"DATA": reset}), b"a line of content\r\n" * 500_000)
    assert outcome.verdict is Verdict.UNREACHABLE


def test_s27_accepted_and_then_the_line_is_lost_is_uncertain() -> None:
    script = SmtpScript({"DOT": lambda line, command: line.drop()})
    assert sent_through(script).verdict is Verdict.UNCERTAIN


def test_s29_no_answer_to_the_dot_in_time_is_uncertain() -> None:
    assert sent_through(SmtpScript({"DOT": lambda line, command: line.hold()})).verdict is Verdict.UNCERTAIN


def test_s30_an_answer_to_the_dot_whose_last_byte_never_comes_is_uncertain() -> None:
    def dribble(line: PeerLine, command: str) -> None:
        line.dribble(b"250 2.0.0 Ok", 0.01)
        line.hold()

    assert sent_through(SmtpScript({"DOT": dribble})).verdict is Verdict.UNCERTAIN


def test_s32_a_line_lost_at_quit_changes_nothing() -> None:
    script = SmtpScript({"QUIT": lambda line, command: line.drop()})
    assert sent_through(script).verdict is Verdict.SENT
    assert script.mails == [(("yamada@example.jp",), RAW)]


def test_s33_a_421_behind_the_250_ends_the_session_after_a_sent_mail() -> None:
    with Peer(SmtpScript({"DOT": b"250 2.0.0 Ok\r\n421 4.3.2 closing\r\n"})) as peer:
        mailer = mailer_to(peer)
        assert mailer.send(ENVELOPE, RAW, lambda: None).verdict is Verdict.SENT
        assert not mailer.is_alive


def test_s34_a_mail_above_the_server_s_size_is_not_begun() -> None:
    script = SmtpScript(extensions=("SIZE 1000", "PIPELINING"))
    outcome = sent_through(script, b"x" * 70 + b"\r\n" * 1000)
    assert (outcome.verdict, outcome.scope, outcome.size_limit) == (Verdict.REFUSED, Scope.MESSAGE, 1000)
    assert not [command for command in script.commands if command.startswith(("MAIL", "DATA"))]


def test_c05_a_pause_between_mark_and_dot_ends_without_the_dot() -> None:
    """The clock stands still until the mark is made; from its first reading after that on, six seconds are gone."""
    readings_since_mark: list[float] = []
    is_marked = threading.Event()

    def clock() -> float:
        if not is_marked.is_set():
            return 0.0
        readings_since_mark.append(6.0 if readings_since_mark else 0.0)
        return readings_since_mark[-1]

    script = SmtpScript()
    with Peer(script) as peer:
        route = SmtpRoute(HOST, peer.port, "none", patience=Patience(farewell=0.1))
        mailer = Mailer(route, Surroundings(clock=clock, lookup=at_home))
        outcome = mailer.send(ENVELOPE, RAW, is_marked.set)
        assert (outcome.verdict, outcome.stage) == (Verdict.UNREACHABLE, Stage.MARK)
        assert script.mails == []
        assert b"\r\n.\r\n" not in peer.received


def test_what_the_mark_raises_comes_out_and_no_dot_is_written() -> None:
    class Taken(Exception):
        pass

    def taken() -> None:
        raise Taken

    script = SmtpScript()
    with Peer(script) as peer:
        mailer = mailer_to(peer)
        with pytest.raises(Taken):
            mailer.send(ENVELOPE, RAW, taken)
        assert not mailer.is_alive
        assert b"\r\n.\r\n" not in peer.received
    assert script.mails == []


def test_practice_mode_speaks_to_this_machine_only() -> None:
    def elsewhere(host: str, port: int, *_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]

    with pytest.raises(Trouble) as caught:
        Mailer(SmtpRoute(HOST, 25, "none", loopback_only=True), Surroundings(lookup=elsewhere)).ready()
    assert caught.value.kind is TroubleKind.NOT_LOOPBACK
