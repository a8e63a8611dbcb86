"""The three charsets: what fits, what is suggested instead, and how ISO-2022-JP comes home to ASCII."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fumibako.mime.encodings import (
    REPLACEMENTS,
    TWINS,
    Charset,
    DoesNotFit,
    encode,
    fits,
    misfits,
    suggestion_for,
    with_suggestions,
)
from tests.mime.texts import canonical, text_in

JAPANESE: tuple[Charset, ...] = ("iso-2022-jp", "shift_jis")


@pytest.mark.parametrize("char", "①㈱髙﨑Ⅳ㎡𠮷é😀¥‾")
@pytest.mark.parametrize("charset", JAPANESE)
def test_characters_outside_the_common_repertoire_do_not_fit(char: str, charset: Charset) -> None:
    assert not fits(char, charset)
    with pytest.raises(DoesNotFit):
        encode(f"あ{char}い", charset)


def test_half_width_kana_fit_shift_jis_and_not_iso_2022_jp() -> None:
    assert encode("ｱｲｳ", "shift_jis") == b"\xb1\xb2\xb3"
    assert not fits("ｱｲｳ", "iso-2022-jp")


@pytest.mark.parametrize("charset", JAPANESE)
def test_both_spellings_of_a_twin_are_the_same_octets(charset: Charset) -> None:
    for windows, tables in TWINS:
        assert encode(windows, charset) == encode(tables, charset)


def test_the_wave_dash_has_the_octets_that_every_reader_knows() -> None:
    assert encode("～", "iso-2022-jp") == b"\x1b$B!A\x1b(B"
    assert encode("～－", "shift_jis") == b"\x81\x60\x81\x7c"


def test_iso_2022_jp_is_back_in_ascii_before_every_line_end() -> None:
    raw = encode("件名\r\n本文A\nおわり", "iso-2022-jp")
    assert raw == b"\x1b$B7oL>\x1b(B\r\n\x1b$BK\\J8\x1b(BA\n\x1b$B$*$o$j\x1b(B"


@pytest.mark.parametrize("control", ["\x1b", "\x0e", "\x0f"])
def test_a_shift_code_in_the_text_never_reaches_iso_2022_jp(control: str) -> None:
    assert not fits(f"abc{control}$Bdef", "iso-2022-jp")


def test_misfits_say_what_where_and_what_instead() -> None:
    found = misfits("件名\r\n①は㈱髙﨑の\n😀ｶﾞ", "iso-2022-jp")
    assert [(one.char, one.suggestion, one.line, one.column) for one in found] == [
        ("①", "(1)", 2, 1),
        ("㈱", "(株)", 2, 3),
        ("髙", "高", 2, 4),
        ("﨑", "崎", 2, 5),
        ("😀", None, 3, 1),
        ("ｶﾞ", "ガ", 3, 2),
    ]


@pytest.mark.parametrize(
    ("char", "instead"),
    [
        ("ｱ", "ア"),
        ("㎡", "m2"),
        ("㌔", "キロ"),
        ("Ⅳ", "IV"),
        ("⑳", "(20)"),
        ("㊤", "(上)"),
        ("葛\U000e0100", "葛"),
        ("か\u3099", "が"),
        ("\ufa19", "神"),
        ("é", "e"),
        ("\u200b", ""),
        ("\u00a0", " "),
        ("¥", "￥"),
        ("👨\u200d👩\u200d👧", None),
    ],
)
def test_what_is_suggested_for_iso_2022_jp(char: str, instead: str | None) -> None:
    assert suggestion_for(char, "iso-2022-jp") == instead


def test_every_replacement_is_needed_and_fits_itself() -> None:
    assert [char for char in REPLACEMENTS if fits(char, "iso-2022-jp")] == []
    assert [text for text in REPLACEMENTS.values() if not fits(text, "iso-2022-jp")] == []


def test_a_text_with_suggestions_taken_fits_unless_something_has_none() -> None:
    assert with_suggestions("①㈱髙﨑様\n～", "iso-2022-jp") == "(1)(株)高崎様\n～"
    assert with_suggestions("ｱ①", "shift_jis") == "ｱ(1)"
    assert with_suggestions("😀①", "iso-2022-jp") == "😀(1)"


def test_at_most_so_many_misfits_are_listed_as_asked_for() -> None:
    assert len(misfits("①" * 5000, "iso-2022-jp")) == 200
    assert len(misfits("①" * 5000, "iso-2022-jp", limit=7)) == 7


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(JAPANESE))
def test_what_fits_comes_back_as_it_was(data: st.DataObject, charset: Charset) -> None:
    text = data.draw(text_in(charset))
    assert encode(text, charset).decode(charset) == canonical(text, charset)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40), st.sampled_from(JAPANESE))
def test_a_text_fits_exactly_when_it_has_no_misfits(text: str, charset: Charset) -> None:
    assert fits(text, charset) == (not misfits(text, charset))
    for one in misfits(text, charset):
        assert one.suggestion is None or fits(one.suggestion, charset)


@pytest.mark.skipif(shutil.which("iconv") is None, reason="iconv is not installed")
@pytest.mark.parametrize("charset", ["iso-2022-jp", "shift_jis"])
def test_another_decoder_reads_the_same_text(charset: Charset) -> None:
    text = "株式会社ふみばこ 御中\nABC 123 ～－∥￢ あいうえお・アイウエオ\n壱弐参\n"
    found = subprocess.run(
        ["iconv", "-f", charset, "-t", "utf-8"], input=encode(text, charset), capture_output=True, check=True
    )
    assert canonical(found.stdout.decode("utf-8"), charset) == canonical(text, charset)
