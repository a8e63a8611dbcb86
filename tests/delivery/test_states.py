"""The machine as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from fumibako.delivery.draw import page
from fumibako.delivery.states import IN_FLIGHT, MOVES, TERMINAL, IllegalMove, State, Trigger, destination, sources

ROOT = Path(__file__).parent.parent.parent


def test_docs_states_is_drawn_from_the_table() -> None:
    assert (ROOT / "docs" / "states.md").read_text("utf-8") == page()


def test_every_state_but_the_first_is_reached_by_some_move() -> None:
    assert {state for state in State if state not in set(MOVES.values())} == {State.PLANNED}


def test_every_trigger_is_used() -> None:
    assert [trigger for trigger in Trigger if not sources(trigger)] == []


def test_no_row_in_flight_is_ever_terminal() -> None:
    assert IN_FLIGHT.isdisjoint(TERMINAL)


def test_a_move_the_table_lacks_is_refused() -> None:
    with pytest.raises(IllegalMove):
        destination(State.SENT, Trigger.CLAIM)


def test_only_a_claim_leads_into_sending_and_only_a_mark_to_the_dot() -> None:
    assert [move for move, after in MOVES.items() if after is State.SENDING] == [(State.QUEUED, Trigger.CLAIM)]
    assert [move for move, after in MOVES.items() if after is State.HANDING_OVER] == [(State.SENDING, Trigger.MARK)]
