"""What the fuzzer calls, and what must be true afterwards, whatever went in."""

from __future__ import annotations

import ast
import html.parser
import re
from datetime import UTC, datetime
from pathlib import Path

from fumibako.mime.addresses import address_key, judge, tidy
from fumibako.mime.bounce import REASONS, head_is_bounce, recognise
from fumibako.mime.bounce.first_look import is_surely_ordinary
from fumibako.mime.bounce.recognising import read_whole
from fumibako.mime.compose import Attachment, Composer, Mailbox, Sheet, Unsendable
from fumibako.mime.encodings import TWINS, Charset, fits
from fumibako.mime.read import CHARSETS, read
from fumibako.mime.reading.html_text import text_of_html
from fumibako.mime.sanitize import ATTRIBUTES, TAGS, safe_html
from tests.fuzz.guided import Target

SEEDS = Path(__file__).parent / "seeds"
WORDS = Path(__file__).parent / "words"
SAMPLES = Path(__file__).parents[1] / "samples" / "reading"
NOTICES = Path(__file__).parents[1] / "samples" / "bounces"

_SCHEME = re.compile(r"[\x00-\x20]*(?:https?:|mailto:|tel:|data:image/(?:png|gif|jpeg|webp);|/p/)", re.I)
_CODE = re.compile(r"expression|javascript:|vbscript:|url\(|@import|behavior|position|\\", re.I)


def read_a_mail(raw: bytes) -> None:
    """Any bytes are a mail: one line of subject, names that are no paths, files that can be had."""
    mail = read(raw)
    assert "\n" not in mail.subject
    for one in (mail.from_, *mail.to, *mail.cc, *mail.reply_to):
        assert "\r" not in one.name + one.address
    for attachment in mail.attachments:
        assert not re.search(r"[/\\\x00-\x1f\u202e]", attachment.name)
        assert len(attachment.raw()) == attachment.size
    assert "\r" not in mail.text
    read(raw, CHARSETS[len(raw) % len(CHARSETS)])


class _Walk(html.parser.HTMLParser):
    """Checks a cleaned page tag by tag."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert name in ATTRIBUTES[tag] | {"rel", "target"}, (tag, name)
            if name in ("href", "src"):
                assert _SCHEME.match(value or ""), value
            if name == "src":
                assert not re.match(r"\s*https?:|\s*//", value or "", re.I), value
            if name == "style":
                assert not _CODE.search(value or ""), value


def clean_a_page(raw: bytes) -> None:
    """Nothing is left that is not on the list, and cleaning twice changes nothing that matters."""
    page = raw.decode("utf-8", "replace")
    clean = safe_html(page, picture=lambda cid: f"/p/{len(cid)}").html
    _Walk().feed(clean)
    _Walk().feed(safe_html(clean).html)
    assert "\x00" not in text_of_html(page)


def judge_an_address(raw: bytes) -> None:
    """What is accepted is one printable word that no command can hide in."""
    text = raw.decode("utf-8", "surrogatepass" if b"\xed" not in raw else "replace") if _is_text(raw) else repr(raw)
    for form in (text, tidy(text)):
        verdict = judge(form, allow_non_rfc=True)
        address_key(form)
        if verdict.is_accepted:
            assert re.fullmatch(r"[!-~]{3,254}", verdict.wire)
            assert not set("<>\\") & set(verdict.wire)
            assert judge(verdict.wire, allow_non_rfc=False).wire == verdict.wire


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def write_and_read_back(raw: bytes) -> None:
    """A letter comes back as it was, or is refused with a reason; on the wire it is clean."""
    charset: Charset = ("utf-8", "iso-2022-jp", "shift_jis")[len(raw) % 3]
    subject, _, text = raw.decode("utf-8", "replace").partition("\n")
    try:
        sheet = Sheet(Mailbox(subject[:50], "a@example.jp"), "", (), charset, (Attachment(subject[:50], "a/b", raw),))
        composed = Composer(sheet).compose(
            to=Mailbox("", "b@example.jp"),
            subject=subject[:200],
            text=text,
            message_id="<fuzz@example.jp>",
            date=datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
            boundary="=_fuzz_0123456789",
        )
    except Unsendable:
        return
    wire = composed.raw
    assert wire.isascii()
    assert max(map(len, wire.split(b"\r\n"))) <= 998
    assert b"\n" not in wire.replace(b"\r\n", b"")
    mail = read(wire)
    assert mail.attachments[0].raw() == raw
    if not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd\ufeff\U000fe000-\U000feea0]", text):
        assert _plain(mail.text) == _plain(text)
    assert (composed.charset == charset) or not fits(subject + text, charset)


def _plain(text: str) -> str:
    for windows, tables in TWINS:
        text = text.replace(tables, windows)
    return text.replace("\r\n", "\n").replace("\r", "\n").strip("\n ")


def recognise_a_notice(raw: bytes) -> None:
    """Any bytes are something; what is told about a recipient keeps to its page, and the first look changes nothing."""
    report = recognise(raw)
    if is_surely_ordinary(raw):
        assert read_whole(raw) == report
        # The head alone never says "surely an error mail" of what is read as an ordinary one at the first look.
        assert head_is_bounce(raw) is not True
    for failure in report.recipients:
        assert failure.reason in REASONS
        assert len(failure.text) <= 500
        assert failure.text.isprintable()
        assert re.fullmatch(r"(?:[245]\.\d{1,3}\.\d{1,3})?", failure.status), failure.status
        assert failure.code == 0 or 200 <= failure.code <= 599
        assert not failure.hard or failure.reason in ("userunknown", "hostunknown", "hasmoved", "notaccept")
    assert not set("<>\n") & set(report.original.message_id)


TARGETS: dict[str, Target] = {
    "bounce": recognise_a_notice,
    "mail": read_a_mail,
    "page": clean_a_page,
    "address": judge_an_address,
    "letter": write_and_read_back,
}


def seeds_of(name: str) -> list[bytes]:
    """The seeds kept as files, and for mails our own samples too."""
    files = sorted((SEEDS / name).iterdir())
    if name == "bounce":
        files += sorted(NOTICES.glob("*/mail.eml"))
    if name == "mail":
        files += sorted(SAMPLES.glob("*/mail.eml"))
    return [path.read_bytes() for path in files]


def words_of(name: str) -> list[bytes]:
    """The pieces that inputs of this kind are made of, one bytes literal a line."""
    return [ast.literal_eval(line) for line in (WORDS / f"{name}.txt").read_text("ascii").splitlines()]
