"""Finding mails by words of any length, by place, and by everything else the screen offers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.inbox import actions, queries, search
from fumibako.apps.inbox.queries import Conditions
from fumibako.apps.inbox.reader.grams import grams_of, plain
from fumibako.apps.office.models import Operator
from tests.inbox.desk import Post, fetch, letter, mails_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[search.FEW, 0], ids=["few have it", "many have it"])
def _every_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many mails have the words: few are looked at themselves, of many the search table is read."""
    monkeypatch.setattr(search, "FEW", request.param)


def found(**conditions: object) -> list[str]:
    """Subjects of what a search finds, oldest first."""
    mails = queries.search(None, Conditions(**conditions))  # type: ignore[arg-type]
    return [mail.subject for mail in mails.order_by("number")]


@pytest.fixture
def box(account: MailAccount, post: Post) -> MailAccount:
    """Three mails."""
    post.put(
        letter(
            1, sender="髙橋 一郎 <ichiro.takahashi@docomo.example>", subject="東京の面談", text="京都には行きません"
        ),
        letter(2, sender="山田 <yamada@example.com>", subject="Ｔｏｋｙｏ plan", text="大阪 ﾃｽﾄ 東 京"),
        letter(3, sender="tanaka.hanako@example.com", subject="ABC-123 の件", text="100%確認", Cc="boss@example.jp"),
    )
    fetch(account)
    return account


@pytest.mark.usefixtures("_every_way")
@pytest.mark.parametrize(
    ("words", "subjects"),
    [
        ("東京", ["東京の面談"]),
        ("東", ["東京の面談", "Ｔｏｋｙｏ plan"]),
        ("京都", ["東京の面談"]),
        ("髙橋", ["東京の面談"]),
        ("高橋", ["東京の面談"]),
        ("tokyo", ["Ｔｏｋｙｏ plan"]),
        ("OKY", ["Ｔｏｋｙｏ plan"]),
        ("テスト", ["Ｔｏｋｙｏ plan"]),
        ("takahashi@docomo", ["東京の面談"]),
        ("kahashi@docomo.ex", ["東京の面談"]),
        ("takahash@docomo", []),
        ("takahashi@ocomo", []),
        ("example.com,東", []),
        ("anaka.hanako@example", ["ABC-123 の件"]),
        ("yamada@example.com", ["Ｔｏｋｙｏ plan"]),
        ("example.com", ["Ｔｏｋｙｏ plan", "ABC-123 の件"]),
        ("hanako", ["ABC-123 の件"]),
        ("nak", ["ABC-123 の件"]),
        ("abc-12", ["ABC-123 の件"]),
        ("123の件", ["ABC-123 の件"]),
        ("面談 京都", ["東京の面談"]),
        ("面談 大阪", []),
        ("量子", []),
        ('"面談" OR *', []),
    ],
)
def test_words_of_any_length_are_found_wherever_they_stand(box: MailAccount, words: str, subjects: list[str]) -> None:
    assert found(words=words) == subjects


@pytest.mark.parametrize(("name", "value"), [("FEW", 1), ("MOST_READ", 5)])
def test_what_is_found_by_all_of_its_letters_alone_is_few_as_well(
    box: MailAccount, monkeypatch: pytest.MonkeyPatch, name: str, value: int
) -> None:
    monkeypatch.setattr(search, name, value)
    assert found(words="hanako@example.com") == ["ABC-123 の件"]
    assert found(words="example.com") == ["Ｔｏｋｙｏ plan", "ABC-123 の件"]
    assert found(words="example tanaka", sender="hanako") == ["ABC-123 の件"]
    assert found(words="example 量子") == []


@pytest.mark.usefixtures("_every_way")
def test_each_condition_looks_in_its_own_place(box: MailAccount) -> None:
    assert found(sender="東京") == []
    assert found(subject="東京") == ["東京の面談"]
    assert found(body="京都") == ["東京の面談"]
    assert found(recipients="boss") == ["ABC-123 の件"]
    assert found(recipients="boss@example.jp", sender="hanako@example") == ["ABC-123 の件"]
    assert found(sender="boss@example.jp") == []
    assert found(words="!!!") == []


def test_the_other_conditions(box: MailAccount, operator: Operator) -> None:
    first = mails_of(box)[0]
    actions.mark_read(operator, first)
    actions.assign(operator, first, operator)
    assert len(found(is_unread_only=True)) == 2
    assert found(assignee_id=operator.pk) == ["東京の面談"]
    assert len(found(account_ids=[box.pk])) == 3
    assert found(account_ids=[box.pk + 1]) == []
    assert found(number=first.number) == ["東京の面談"]
    today = timezone.localdate()
    assert len(found(received_from=today, received_to=today)) == 3
    assert found(received_to=today - timedelta(days=1)) == []
    assert found(received_from=date(2999, 1, 1)) == []
    assert (found(is_linked=True), len(found(is_linked=False))) == ([], 3)
    assert (found(has_attachment=True), len(found(has_attachment=False))) == ([], 3)
    assert len(found(kind="ordinary")) == 3
    mine = queries.search(operator, Conditions(view="mine"))
    assert list(mine) == [first]


def test_pages_go_on_after_the_last_mail_and_neighbours_are_known(box: MailAccount) -> None:
    mails = queries.search(None, Conditions())
    first = queries.page_after(mails, size=2)
    rest = queries.page_after(mails, first[-1].sort_key, size=2)
    assert [mail.number for mail in (*first, *rest)] == [3, 2, 1]
    newer, older = queries.neighbours(mails, first[1])
    assert (newer, older) == (first[0], rest[0])
    assert queries.neighbours(mails, first[0]) == (None, first[1])


@pytest.mark.usefixtures("_every_way")
def test_pages_and_neighbours_of_a_search_are_the_same_in_its_own_order(account: MailAccount, post: Post) -> None:
    post.put(*(letter(number, text="東京" if number % 2 else "大阪") for number in range(1, 8)))
    fetch(account)
    mails = queries.search(None, Conditions(words="東京", is_unread_only=True))
    first = queries.page_after(mails, size=3)
    rest = queries.page_after(mails, first[-1].sort_key, size=3)
    assert [mail.number for mail in (*first, *rest)] == [7, 5, 3, 1]
    assert queries.neighbours(mails, first[1]) == (first[0], first[2])
    assert (mails.count(), mails.filter(number=5).exists()) == (4, True)


def test_postgresql_is_asked_the_same_question() -> None:
    phrases = search.phrases_of("東京都 ab")
    assert search.fts_query(phrases, ("subject",)) == '({subject} : ("東京 京都" AND "ab" *))'
    assert search.ts_query(phrases, ("subject",)) == "('東京':C <-> '京都':C) & ('ab':C*)"
    assert search.ts_query(phrases, search.FIELDS) == "('東京' <-> '京都') & ('ab':*)"
    assert grams_of("東京, Ab") == ["東京", "京", "ab", "b"]


def test_a_mail_that_is_looked_at_itself_is_found_by_whatever_its_grams_would_find() -> None:
    texts = ("Ken.Ishii <ken_2@docomo.example>", "東京abc都 髙橋ｶﾀｶﾅ", "se en n sen der", "x" * 9 + "1-2", "")
    questions = {text[at : at + size] for text in texts for at in range(len(text)) for size in (1, 2, 3, 5, 8)}
    for phrase in {phrase for question in questions for phrase in search.phrases_of(question)}:
        grams = phrase.grams
        for text in texts:
            there = grams_of(text)
            stands = [there[at : at + len(grams)] for at in range(len(there))]
            is_found = any(is_same(grams, one, phrase.is_prefix) for one in stands)
            assert (phrase.text in plain(text)) is is_found, (phrase, text)
        assert phrase.longest.text in phrase.text


def is_same(wanted: list[str], there: list[str], is_prefix: bool) -> bool:
    """A phrase of grams as FTS5 and PostgreSQL compare it."""
    if not is_prefix:
        return wanted == there
    return wanted[:-1] == there[:-1] and len(there) == len(wanted) and there[-1].startswith(wanted[-1])


def test_few_mails_are_looked_through_in_parts_which_are_the_whole(
    account: MailAccount, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.put(*(letter(number, text="東京" if number % 3 else "大阪") for number in range(1, 12)))
    fetch(account)
    monkeypatch.setattr(queries, "STEP", 4)
    asked = Conditions(view="open", words="東京")
    whole = list(queries.search(None, asked))
    assert len(whole) == 8
    for after in (None, *(mail.sort_key for mail in whole)):
        spans = queries.spans_of(None, asked, after)
        parts = [queries.page_after(queries.search(None, replace(asked, span=span)), after) for span in spans]
        assert [mail for part in parts for mail in part] == [
            mail for mail in whole if after is None or mail.sort_key < after
        ]
    assert queries.spans_of(None, Conditions(view="all", words="東京"), None) == [(None, None)]
