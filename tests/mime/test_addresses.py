"""Which addresses we write to, and how they look on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fumibako.mime.addresses import AddressProblem, address_key, domain_on_the_wire, is_everyday, judge, tidy


def test_example_08_a_doubled_dot_is_quoted_when_the_account_allows_it() -> None:
    verdict = judge("abc..d@docomo.ne.jp", allow_non_rfc=True)
    assert verdict.is_accepted
    assert verdict.wire == '"abc..d"@docomo.ne.jp'
    assert verdict.is_quoted_by_us


def test_example_08_a_doubled_dot_is_refused_when_the_account_does_not_allow_it() -> None:
    verdict = judge("abc..d@docomo.ne.jp", allow_non_rfc=False)
    assert not verdict.is_accepted
    assert verdict.problem is AddressProblem.NON_RFC
    assert verdict.wire == ""


@pytest.mark.parametrize("allow_non_rfc", [True, False])
def test_example_08_an_ordinary_dot_is_never_quoted(allow_non_rfc: bool) -> None:
    assert judge("a.b@docomo.ne.jp", allow_non_rfc=allow_non_rfc).wire == "a.b@docomo.ne.jp"


@pytest.mark.parametrize(
    ("typed", "wire"),
    [
        ("taro.@docomo.ne.jp", '"taro."@docomo.ne.jp'),
        (".taro@ezweb.ne.jp", '".taro"@ezweb.ne.jp'),
        ("t...aro..@ezweb.ne.jp", '"t...aro.."@ezweb.ne.jp'),
        ('"t..aro"@docomo.ne.jp', '"t..aro"@docomo.ne.jp'),
        ("Taro+Tag/Dept=x@Example.JP", "Taro+Tag/Dept=x@Example.JP"),
        ("-taro-@example.jp", "-taro-@example.jp"),
        ("_@example.co.jp", "_@example.co.jp"),
        ("a@1.example.jp", "a@1.example.jp"),
        ("info@ふみばこ.例え.jp", "info@xn--28jxco4b.xn--r8jz45g.jp"),
        ("info@日本語.jp", "info@xn--wgv71a119e.jp"),
        ("info@FUßBALL.example.jp", "info@xn--fuball-cta.example.jp"),
    ],
)
def test_an_accepted_address_is_written_exactly_so(typed: str, wire: str) -> None:
    verdict = judge(typed, allow_non_rfc=True)
    assert (verdict.is_accepted, verdict.wire) == (True, wire)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", AddressProblem.EMPTY),
        ("taro.example.jp", AddressProblem.NO_AT),
        ("@example.jp", AddressProblem.NO_LOCAL),
        ("taro@", AddressProblem.NO_DOMAIN),
        ("a@b@example.jp", AddressProblem.SEVERAL_AT),
        ("a@example.jp,b@example.jp", AddressProblem.SEVERAL_AT),
        ("taro yamada@example.jp", AddressProblem.SPACE),
        ("taro@example .jp", AddressProblem.SPACE),
        (" taro@example.jp", AddressProblem.SPACE),
        ("太郎@example.jp", AddressProblem.NON_ASCII_LOCAL),
        ("taro＠example.jp", AddressProblem.NO_AT),
        ("a,b@example.jp", AddressProblem.BAD_LOCAL),
        ("<taro@example.jp>", AddressProblem.BAD_LOCAL),
        ('a"b"@example.jp', AddressProblem.BAD_LOCAL),
        ('"a b"@example.jp', AddressProblem.SPACE),
        ('"a>b"@example.jp', AddressProblem.BAD_LOCAL),
        ('""@example.jp', AddressProblem.BAD_LOCAL),
        ("taro@localhost", AddressProblem.BAD_DOMAIN),
        ("taro@example.j", AddressProblem.BAD_DOMAIN),
        ("taro@example.123", AddressProblem.BAD_DOMAIN),
        ("taro@192.0.2.1", AddressProblem.BAD_DOMAIN),
        ("taro@[192.0.2.1]", AddressProblem.BAD_DOMAIN),
        ("taro@example..jp", AddressProblem.BAD_DOMAIN),
        ("taro@.example.jp", AddressProblem.BAD_DOMAIN),
        ("taro@example.jp.", AddressProblem.BAD_DOMAIN),
        ("taro@-example.jp", AddressProblem.BAD_DOMAIN),
        ("taro@example-.jp", AddressProblem.BAD_DOMAIN),
        ("taro@ex_ample.jp", AddressProblem.BAD_DOMAIN),
        ("taro@ab--cd.jp", AddressProblem.BAD_DOMAIN),
        ("taro@ab--wgv71a119e.jp", AddressProblem.BAD_DOMAIN),
        ("taro@" + "a" * 64 + ".jp", AddressProblem.BAD_DOMAIN),
        ("taro@😀.jp", AddressProblem.BAD_DOMAIN),
        ("taro@ex\u200dample.jp", AddressProblem.BAD_DOMAIN),
        ("taro@example.invalid", AddressProblem.BAD_DOMAIN),
        ("taro@host.LOCALHOST", AddressProblem.BAD_DOMAIN),
        ("taro@example.onion", AddressProblem.BAD_DOMAIN),
        ("taro@\u0623a.jp", AddressProblem.BAD_DOMAIN),
        ("a" * 65 + "@example.jp", AddressProblem.TOO_LONG),
        ("taro@" + ".".join(["a" * 60] * 5) + ".jp", AddressProblem.TOO_LONG),
        ("taro@example.jp\n", AddressProblem.CONTROL_CHARACTER),
        ("taro\x00@example.jp", AddressProblem.CONTROL_CHARACTER),
    ],
)
def test_a_refused_address_says_why(typed: str, problem: AddressProblem) -> None:
    verdict = judge(typed, allow_non_rfc=True)
    assert (verdict.is_accepted, verdict.problem, verdict.wire) == (False, problem, "")


def test_the_longest_address_the_standard_allows_is_accepted() -> None:
    address = "a" * 64 + "@" + ".".join(["b" * 63, "c" * 63, "d" * 58, "jp"])
    assert len(address) == 254
    assert judge(address, allow_non_rfc=False).is_accepted
    assert judge(address.replace(".jp", ".jpp"), allow_non_rfc=False).problem is AddressProblem.TOO_LONG


@pytest.mark.parametrize(
    "poison", ["\r", "\n", "\r\n", "\x00", "\u2028", "\u2029", "\x85", ">", " ", "> BODY=8BITMIME", "\t"]
)
def test_x10_nothing_that_could_become_a_second_command_is_ever_accepted(poison: str) -> None:
    places = (f"taro{poison}@example.jp", f"taro@example.jp{poison}", f"ta@exa{poison}mple.jp", f"{poison}t@example.jp")
    assert [judge(place, allow_non_rfc=True).is_accepted for place in places] == [False] * 4
    quoted = f'"ta{poison}ro"@example.jp'
    assert not judge(quoted, allow_non_rfc=True).is_accepted


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30) | st.from_regex(r"[a-z.\"@ ]{1,12}@[a-z.-]{1,12}", fullmatch=True))
def test_an_accepted_address_is_one_printable_ascii_word_and_stays_what_it_is(text: str) -> None:
    verdict = judge(text, allow_non_rfc=True)
    if verdict.is_accepted:
        assert verdict.wire.isascii()
        assert verdict.wire.isprintable()
        assert not set(' <>\\"') & set(verdict.wire.replace('"', "", 2))
        assert judge(verdict.wire, allow_non_rfc=False).wire == verdict.wire
        assert address_key(verdict.wire) == address_key(text)
    else:
        assert verdict.problem is not None


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("　ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ　", "taro@example.jp"),
        ("mailto:taro@example.jp?subject=x", "taro@example.jp"),
        ("<taro@example.jp>", "taro@example.jp"),
        ("山田 太郎 <taro@example.jp>", "taro@example.jp"),
        ("＜ｔａｒｏ＠example.jp＞", "taro@example.jp"),
        ("taro@example。jp", "taro@example.jp"),
        ("\ufefftaro@example.jp\u200b", "taro@example.jp"),
        ("a..b＿ｃ@docomo.ne.jp", "a..b_c@docomo.ne.jp"),
        ("a@example.jp <b@example.jp>", "a@example.jp <b@example.jp>"),
        ("太郎@example.jp", "太郎@example.jp"),
    ],
)
def test_what_people_type_is_tidied_without_guessing(typed: str, clean: str) -> None:
    assert tidy(typed) == clean


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Taro@Example.JP", "taro@example.jp"),
        ('"a..b"@docomo.ne.jp', "a..b@docomo.ne.jp"),
        ('"taro"@example.jp', "taro@example.jp"),
        ("info@日本語.jp", "info@xn--wgv71a119e.jp"),
        ("＜taro@example.jp＞", "taro@example.jp"),
    ],
)
def test_two_spellings_of_one_mailbox_have_one_key(one: str, other: str) -> None:
    assert address_key(one) == address_key(other)


def test_different_mailboxes_have_different_keys() -> None:
    different = ("a.b@example.jp", "ab@example.jp", "a..b@example.jp", '"a@b"@example.jp', "nonsense")
    assert len({address_key(address) for address in different}) == 5


def test_a_label_that_only_pretends_to_be_international_is_no_domain() -> None:
    assert domain_on_the_wire("xn--a\x80.jp") is None
    assert domain_on_the_wire("xn---.jp") is None
    assert domain_on_the_wire("\u0301a.jp") is None


@pytest.mark.parametrize(
    ("address", "is_it"),
    [
        ("hanako.mihon+a@mail.example.co.jp", True),
        ("a" * 64 + "@example.jp", True),
        ("a" * 65 + "@example.jp", False),
        ("a@" + "b" * 63 + ".jp", True),
        ("a@" + "b" * 64 + ".jp", False),
        ("a@" + "b." * 124 + "jp", True),
        ("a@" + "b." * 126 + "jp", False),
        ("a..b@example.jp", False),
        ("a@x--y.jp", False),
        ("a@x-.jp", False),
        ("a@example.Invalid", False),
        ("a@example.invalids", True),
        ("a@localhost", False),
        ("a@例え.jp", False),
        ("a@example.jp\n", False),
    ],
)
def test_an_everyday_address_is_one_that_needs_no_second_look(address: str, is_it: bool) -> None:
    assert is_everyday(address) is is_it
    if is_it:
        assert judge(address, allow_non_rfc=False).wire == address
