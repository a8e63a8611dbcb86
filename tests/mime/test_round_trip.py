"""What we write, we read back: every charset, every printable text, in every place of a mail."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fumibako.mime.compose import Attachment, Mailbox
from fumibako.mime.encodings import TWINS, Charset
from fumibako.mime.read import read
from tests.mime.mails import compose, sheet
from tests.mime.texts import repertoire

CHARSETS: tuple[Charset, ...] = ("utf-8", "iso-2022-jp", "shift_jis")
JAPANESE: tuple[Charset, ...] = ("iso-2022-jp", "shift_jis")
PRINTABLE = st.characters(exclude_categories=("C", "Zl", "Zp"))


def spelled(text: str) -> str:
    """The text with Windows' spelling of the seven twins, which is how we read them in the Japanese charsets."""
    for windows, tables in TWINS:
        text = text.replace(tables, windows)
    return text


def any_text(charset: Charset) -> st.SearchStrategy[str]:
    """Texts that fit the charset, and among them some that do not."""
    fitting = PRINTABLE if charset == "utf-8" else st.sampled_from(repertoire(charset))
    return st.text(fitting, max_size=60) | st.text(PRINTABLE, max_size=20)


def on_one_line(text: str) -> str:
    return re.sub("[ \t]+", " ", spelled(text)).strip(" ")


@settings(max_examples=150, deadline=None)
@given(data=st.data(), charset=st.sampled_from(CHARSETS))
def test_subject_names_and_text_are_read_as_they_were_written(data: st.DataObject, charset: Charset) -> None:
    subject, text = data.draw(any_text(charset)), data.draw(any_text(charset))
    # A name all in quotation marks is shown without them, on purpose.
    name = data.draw(any_text(charset).filter(lambda one: not re.match(r"\s*['\"]", one)))
    mail = read(compose(sheet(charset, from_=Mailbox(name, "a@example.jp")), subject=subject, text=text).raw)
    assert on_one_line(mail.subject) == on_one_line(subject).strip()
    assert on_one_line(mail.from_.name) == on_one_line(name).strip()
    assert mail.from_.address == "a@example.jp"
    assert spelled(mail.text).strip("\n") == spelled(text).strip("\n") or not text.strip()


@settings(max_examples=100, deadline=None)
@given(data=st.data(), charset=st.sampled_from(CHARSETS))
def test_file_names_are_read_as_they_were_written(data: st.DataObject, charset: Charset) -> None:
    name = data.draw(any_text(charset).filter(lambda one: not re.search(r"[/\\]", one) and one.strip(". ")))
    raw = compose(sheet(charset, attachments=(Attachment(name + ".pdf", "application/pdf", b"x"),))).raw
    (found,) = read(raw).attachments
    assert on_one_line(found.name) == on_one_line(unicodedata.normalize("NFC", name + ".pdf")).strip()
    assert found.raw() == b"x"


@pytest.mark.parametrize("charset", JAPANESE)
def test_every_character_of_the_charset_comes_back_in_every_place(charset: Charset) -> None:
    characters = [char for char in repertoire(charset) if char.strip()]
    for at in range(0, len(characters), 100):
        piece = "あ" + "".join(characters[at : at + 100]) + "あ"
        safe = re.sub(r"[/\\]", "", piece)
        paper = sheet(
            charset,
            from_=Mailbox(piece, "a@example.jp"),
            attachments=(Attachment(f"{safe}.txt", "text/x", b""),),
        )
        composed = compose(paper, subject=piece, text=piece)
        mail = read(composed.raw)
        assert composed.charset == charset
        assert (spelled(mail.subject), spelled(mail.from_.name)) == (spelled(piece), spelled(piece))
        assert spelled(mail.text.strip()) == spelled(piece)
        assert spelled(mail.attachments[0].name) == spelled(unicodedata.normalize("NFC", f"{safe}.txt"))
