"""Merge fields: which letters are accepted, and what each receiver reads."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fumibako.letters.fields import ALL_FIELDS, FIELDS, KINDS, SAMPLE_VALUES, fields_for
from fumibako.letters.merge import (
    LetterProblem,
    LetterRefused,
    Mark,
    ParsedLetter,
    ProblemKind,
    Rendered,
    parse,
    problems_in,
)
from fumibako.letters.parts import OUTPUT_CHARACTERS, LiquidPart, PlainPart, part_of
from fumibako.letters.tokens import scan

HANAKO = {"氏名": "見本 花子", "部署": "総務部", "姓": "見本"}


def text_of(body: str, values: dict[str, str]) -> str:
    """The body as this receiver reads it."""
    return parse("件名", body).render(values).text


@pytest.mark.parametrize(
    "body",
    [
        "{{氏名}} 様",
        "{{ 氏名 }} 様",
        "｛｛氏名｝｝ 様",
        "｛｛　氏名　｝｝ 様",
        "{{氏名｝｝ 様",
        "｛{ 氏名 }｝ 様",
        "{{氏名 | strip}} 様",
    ],
)
def test_a_field_may_be_written_in_half_width_full_width_or_both(body: str) -> None:
    assert text_of(body, HANAKO) == "見本 花子 様"


def test_full_width_letters_in_a_field_name_are_the_same_field() -> None:
    assert text_of("｛｛スタッフＮＯ｝｝", {"スタッフNO": "000123"}) == "000123"


def test_a_letter_says_which_fields_it_uses_in_order() -> None:
    letter = parse("{{得意先名}} {{氏名}}", "{% if 部署 == '総務部' and 役職 %}{{氏名 | default: 担当者名}}{% endif %}")
    assert letter.fields_used == ("得意先名", "氏名", "部署", "役職", "担当者名")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("一行目\n{{氏メイ}}", LetterProblem(ProblemKind.UNKNOWN_FIELD, "氏メイ", 2, "text")),
        ("{% if 部所 %}x{% endif %}", LetterProblem(ProblemKind.UNKNOWN_FIELD, "部所", 1, "text")),
        ("{{氏名 | default: 姓名}}", LetterProblem(ProblemKind.UNKNOWN_FIELD, "姓名", 1, "text")),
        ("\n\n{{氏名 様", LetterProblem(ProblemKind.UNCLOSED, "{{氏名 様", 3, "text")),
        ("{{氏名}\n}", LetterProblem(ProblemKind.UNCLOSED, "{{氏名}", 1, "text")),
        ("氏名}} 様", LetterProblem(ProblemKind.UNOPENED, "}} 様", 1, "text")),
        ("{% if 氏名 }}", LetterProblem(ProblemKind.UNCLOSED, "{% if 氏名 }}", 1, "text")),
        ("{{{氏名}}}", LetterProblem(ProblemKind.BAD_EXPRESSION, "{氏名", 1, "text")),
        ("{{}}", LetterProblem(ProblemKind.BAD_EXPRESSION, "", 1, "text")),
        ("{{氏名 様}}", LetterProblem(ProblemKind.BAD_EXPRESSION, "氏名 様", 1, "text")),
        ("{{氏名.size}}", LetterProblem(ProblemKind.BAD_EXPRESSION, "氏名.size", 1, "text")),
        ("{{'言葉'}}", LetterProblem(ProblemKind.BAD_EXPRESSION, '"言葉"', 1, "text")),
        ("{{- 氏名 -}}", LetterProblem(ProblemKind.BAD_EXPRESSION, "- 氏名 -", 1, "text")),
        ("{% if 氏名 > 3 %}{% endif %}", LetterProblem(ProblemKind.BAD_EXPRESSION, "氏名 > 3", 1, "text")),
        ("{% if 氏名 = 'x' %}{% endif %}", LetterProblem(ProblemKind.BAD_EXPRESSION, '氏名 = "x"', 1, "text")),
        (
            "{{氏名 | default: '様', '殿'}}",
            LetterProblem(ProblemKind.BAD_EXPRESSION, '氏名 | default: "様", "殿"', 1, "text"),
        ),
        ("{{氏名 | date: '%Y'}}", LetterProblem(ProblemKind.UNKNOWN_FILTER, "date", 1, "text")),
        ("{% if 氏名 %}\nx", LetterProblem(ProblemKind.UNBALANCED, "if 氏名", 1, "text")),
        ("x\n{% endif %}", LetterProblem(ProblemKind.UNBALANCED, "endif", 2, "text")),
        ("{% else %}", LetterProblem(ProblemKind.UNBALANCED, "else", 1, "text")),
        ("{% if 氏名 %}{% endunless %}", LetterProblem(ProblemKind.UNBALANCED, "endunless", 1, "text")),
        ("{% if 氏名 %}{% else %}{% else %}{% endif %}", LetterProblem(ProblemKind.UNBALANCED, "else", 1, "text")),
        ("あ" * (OUTPUT_CHARACTERS + 1), LetterProblem(ProblemKind.TOO_LONG, str(OUTPUT_CHARACTERS + 1), 1, "text")),
    ],
)
def test_a_mistake_is_refused_with_its_name_and_line(body: str, problem: LetterProblem) -> None:
    with pytest.raises(LetterRefused) as refusal:
        parse("件名", body)
    assert refusal.value.problems[0] == problem
    assert problems_in("件名", body) == refusal.value.problems


@pytest.mark.parametrize(
    "tag",
    [
        "for x in 氏名",
        "assign x = 1",
        "capture x",
        "include 'x'",
        "render 'x'",
        "raw",
        "comment",
        "case 氏名",
        "cycle 'a'",
        "liquid",
        "",
        "if氏名",
    ],
)
def test_everything_that_loops_loads_or_stores_is_refused(tag: str) -> None:
    with pytest.raises(LetterRefused) as refusal:
        parse("件名", f"本文\n{{% {tag} %}}\n")
    assert [(one.kind, one.line) for one in refusal.value.problems] == [(ProblemKind.UNKNOWN_TAG, 2)]


def test_all_mistakes_are_found_at_once_subject_first() -> None:
    problems = problems_in("{{ぶ}}", "{{か}}\n{{き}}{{氏名\n")
    assert [(one.kind, one.where, one.line) for one in problems] == [
        (ProblemKind.UNKNOWN_FIELD, "subject", 1),
        (ProblemKind.UNKNOWN_FIELD, "text", 1),
        (ProblemKind.UNCLOSED, "text", 2),
        (ProblemKind.UNKNOWN_FIELD, "text", 2),
    ]


def test_a_letter_without_mistakes_has_no_problems() -> None:
    assert problems_in("{{氏名}} 様", "{% if 部署 %}{{部署}}{% else %}-{% endif %} 100% {x} }{ %") == ()


def test_deep_nesting_is_refused_rather_than_tried() -> None:
    with pytest.raises(LetterRefused):
        parse("", "{% if 氏名 %}" * 1000 + "{% endif %}" * 1000)


def test_an_expression_of_thousands_of_words_is_refused_rather_than_tried() -> None:
    with pytest.raises(LetterRefused):
        parse("", "{% if " + " and ".join(["氏名"] * 5000) + " %}x{% endif %}")


@pytest.mark.parametrize(
    ("body", "values", "text"),
    [
        ("{% if 部署 %}{{部署}}御中{% else %}各位{% endif %}", {"部署": "総務部"}, "総務部御中"),
        ("{% if 部署 %}{{部署}}御中{% else %}各位{% endif %}", {"部署": ""}, "各位"),
        ("{% if 部署 %}{{部署}}御中{% else %}各位{% endif %}", {}, "各位"),
        ("{% unless 部署 %}各位{% endunless %}", {"部署": ""}, "各位"),
        ('{% if 部署 == "" %}なし{% endif %}', {"部署": ""}, "なし"),
        ('{% if 部署 != "" %}あり{% endif %}', {"部署": ""}, ""),
        ('{% if 部署 != "" %}あり{% endif %}', {"部署": "総務"}, "あり"),
        ("{% if 部署 == blank %}なし{% endif %}", {"部署": ""}, "なし"),
        ("{% if 部署 == 「総務部」 %}はい{% endif %}", {"部署": "総務部"}, "はい"),
        ("｛％　if　部署　＝＝　”総務部”　％｝はい｛％　endif　％｝", {"部署": "総務部"}, "はい"),
        ("{% if 部署 contains '総務' %}A{% elsif 部署 %}B{% else %}C{% endif %}", {"部署": "第一総務"}, "A"),
        ("{% if 部署 contains '総務' %}A{% elsif 部署 %}B{% else %}C{% endif %}", {"部署": "営業"}, "B"),
        ("{% if 部署 contains '総務' %}A{% elsif 部署 %}B{% else %}C{% endif %}", {}, "C"),
        ("{% if 応募日 < '2026-04' %}前{% else %}後{% endif %}", {"応募日": "2026-03-31"}, "前"),
        ("{% if 姓 and 名 %}両方{% endif %}", {"姓": "見本", "名": ""}, ""),
        ("{{役職 | default: '担当者'}}様", {"役職": ""}, "担当者様"),
        ("{{役職 | default: 氏名}}様", {"役職": "", "氏名": "花子"}, "花子様"),
        ("{{役職 | default: 氏名}}様", {"役職": "", "氏名": ""}, "様"),
        ("{{役職 | upcase}}", {"役職": "abc"}, "ABC"),
        ("{{役職 | strip | default: 'x'}}", {"役職": "  "}, "x"),
    ],
)
def test_conditions_and_defaults_treat_an_empty_value_as_nothing(body: str, values: dict[str, str], text: str) -> None:
    assert text_of(body, values) == text


def test_a_line_with_only_conditions_leaves_no_empty_line() -> None:
    body = "一\n{% if 部署 %}\n{{部署}}\n{% else %}\nなし\n  {% endif %}  \n二\n"
    assert text_of(body, {"部署": "総務部"}) == "一\n総務部\n二\n"
    assert text_of(body, {}) == "一\nなし\n二\n"


@pytest.mark.parametrize("body", ["{{氏名}}", "{{氏名 | default: 'x'}}", "{% if 氏名 %}{{氏名}}{% endif %}"])
@pytest.mark.parametrize("value", ["{{姓}}", "{% if 姓 %}", "}}", "｛｛姓｝｝", "<b>&amp;</b>", "\\n", "'\"", "%}"])
def test_a_value_is_inserted_once_as_text(body: str, value: str) -> None:
    assert text_of(body, {"氏名": value, "姓": "wrong"}) == value


@pytest.mark.parametrize("subject", ["{{氏名}}様", "{{氏名 | default: 'x'}}様"])
@pytest.mark.parametrize("value", ["花\r\n子", "花\n子", "花\r子", "花\u2028子", "花\t子", "花\x85子"])
def test_x11_a_line_break_in_a_value_is_a_space_in_the_subject(subject: str, value: str) -> None:
    assert parse(subject, "").render({"氏名": value}).subject == "花 子様"


@pytest.mark.parametrize("body", ["{{氏名}}様", "{{氏名 | default: 'x'}}様", "{{氏\ufdd0名}}様"])
def test_the_sign_we_keep_for_ourselves_is_taken_out_of_values_and_letters(body: str) -> None:
    assert text_of(body, {"氏名": "花\ufdd0子"}) == "花子様"


def test_a_line_break_in_the_subject_itself_is_a_space() -> None:
    assert parse("一\r\n二", "").render({}).subject == "一 二"


def test_marks_say_where_every_value_went() -> None:
    letter = parse("{{氏名}} 様", "{% if 部署 %}{{部署}} {% endif %}{{役職}}{{氏名 | default: 'x'}} 様")
    rendered = letter.render(HANAKO)
    assert rendered == Rendered(
        subject="見本 花子 様",
        text="総務部 見本 花子 様",
        marks=(
            Mark(0, 5, "氏名", False, "subject"),
            Mark(0, 3, "部署", False, "text"),
            Mark(4, 4, "役職", True, "text"),
            Mark(4, 9, "氏名", False, "text"),
        ),
        empty_fields=("役職",),
    )


def test_a_gap_that_a_default_fills_is_no_gap() -> None:
    assert parse("", "{{役職 | default: '担当者'}}{% if 部署 %}{{部署}}{% endif %}").render({}).empty_fields == ()
    assert parse("", "{{役職}}{{部署}}{{役職}}").render({"部署": ""}).empty_fields == ("役職", "部署")


def test_values_too_long_for_a_mail_are_refused() -> None:
    for body in ("{{氏名}}" * 40, "{{氏名 | default: 'x'}}" * 40):
        with pytest.raises(LetterRefused) as refusal:
            parse("", body).render({"氏名": "あ" * 30_000})
        assert refusal.value.problems[0].kind is ProblemKind.TOO_LONG


def test_a_field_no_kind_in_the_job_knows_is_unknown_and_one_that_any_kind_knows_is_not() -> None:
    assert problems_in("", "{{面接会場}}", fields_for({"staff", "client"}))[0].kind is ProblemKind.UNKNOWN_FIELD
    letter = parse("", "{{所属部門}}{{部署}}", fields_for({"staff", "client"}))
    assert letter.render({"所属部門": "東京支店"}).empty_fields == ("部署",)


def test_the_catalogue_has_a_sample_for_every_field_and_every_kind_knows_the_common_ones() -> None:
    common = {"氏名", "姓", "名", "カナ", "メールアドレス", "本日", "送信者名", "担当者名"}
    assert set(SAMPLE_VALUES) == ALL_FIELDS
    assert all(SAMPLE_VALUES.values())
    assert len(ALL_FIELDS) == len(FIELDS)
    assert all(common < fields_for({kind}) for kind in KINDS)
    assert fields_for({"staff"}) - common == {"スタッフNO", "所属部門", "就業ステータス"}
    assert fields_for(()) == ALL_FIELDS
    with pytest.raises(ValueError, match="unknown kind"):
        fields_for({"customer"})


field_names = st.sampled_from(sorted(ALL_FIELDS))
values = st.dictionaries(field_names, st.text(max_size=20), max_size=len(ALL_FIELDS))
plain_bodies = st.lists(
    st.one_of(
        field_names.map(lambda name: "{{" + name + "}}"),
        field_names.map(lambda name: "｛｛　" + name + " ｝｝"),
        st.text(st.characters(exclude_characters="{}｛｝%％", exclude_categories=["Cs"]), max_size=20),
        st.sampled_from(["\n", "\r\n", "{", "a}b", "%", "\ufdd0"]),
    ),
    max_size=12,
).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(body=plain_bodies, values=values, where=st.sampled_from(["subject", "text"]))
def test_the_quick_way_and_liquid_give_the_same_letter(body: str, values: dict[str, str], where: str) -> None:
    tokens, problems = scan(body, where)
    assert problems == ()
    assert isinstance(part_of(tokens, where), PlainPart)
    assert PlainPart(tokens, where)(values) == LiquidPart(tokens, where)(values)
    assert PlainPart(tokens, where).text(values) == PlainPart(tokens, where)(values).text


@settings(max_examples=200, deadline=None)
@given(body=st.text("{}%｛｝％ |'\"氏名部署if endels=.-\n", max_size=60), values=values)
def test_any_text_is_either_a_letter_or_refused(body: str, values: dict[str, str]) -> None:
    problems = problems_in(body, body)
    if problems:
        assert all(one.line >= 1 for one in problems)
        return
    letter = parse(body, body)
    assert isinstance(letter, ParsedLetter)
    rendered = letter.render(values)
    assert letter.words(values) == (rendered.subject, rendered.text)
    for mark in rendered.marks:
        text = rendered.subject if mark.where == "subject" else rendered.text
        assert 0 <= mark.start <= mark.end <= len(text)
        assert mark.is_empty == (mark.start == mark.end)
    assert "\n" not in rendered.subject
    assert "\ufdd0" not in rendered.text
