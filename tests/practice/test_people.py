"""The table of people and the sample people who live by it."""

from __future__ import annotations

from fumibako.apps.recipients.sample_names import PRACTICE_SHARES
from fumibako.practice.people import BEHAVIOURS, AfterDot


def test_every_word_of_the_sample_people_is_in_the_table() -> None:
    assert PRACTICE_SHARES.keys() - BEHAVIOURS.keys() == set()


def test_whoever_refuses_does_nothing_after_the_dot_unless_greylisted() -> None:
    odd = [word for word, one in BEHAVIOURS.items() if one.refusal and one.after_dot is not AfterDot.KEEP]
    assert odd == []


def test_everybody_who_bounces_has_the_words_for_it() -> None:
    assert all(one.diagnosis for one in BEHAVIOURS.values() if one.after_dot is AfterDot.BOUNCE)
