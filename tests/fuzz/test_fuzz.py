"""A bounded run of every fuzz target, the same one every time; and everything a longer run has found before."""

from __future__ import annotations

import pytest

from tests.fuzz.guided import explore
from tests.fuzz.targets import SEEDS, TARGETS, seeds_of, words_of

EXECUTIONS = {"mail": 500, "page": 500, "address": 2_000, "letter": 300, "bounce": 400}


@pytest.mark.parametrize("name", TARGETS)
def test_x21_a_bounded_search_finds_no_input_that_breaks_a_promise(name: str) -> None:
    found = explore(TARGETS[name], seeds_of(name), words_of(name), executions=EXECUTIONS[name], seed=20261124)
    assert found.failures == []
    # The search is worth its time only while it gets further than its seeds.
    assert len(found.kept) > len(seeds_of(name))


def test_every_target_has_seeds_that_are_kept_as_files() -> None:
    assert {folder.name for folder in SEEDS.iterdir()} == set(TARGETS)
    assert all(seeds_of(name) for name in TARGETS)
