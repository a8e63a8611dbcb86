"""Every dialogue file, played whole and cut into small pieces, comes to the result written at its head."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.peers.dialogue import PASSWORD, Dialogue, expected_bytes, load, play

FILES = sorted((Path(__file__).parents[1] / "dialogues").glob("*.txt"))
SECRETS = (PASSWORD, "by1oaW1pdHN1")


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def dialogue(request: pytest.FixtureRequest) -> Dialogue:
    return load(request.param)


@pytest.mark.parametrize("piece", [0, 1, 2, 3, 7])
def test_a_dialogue_has_the_same_result_in_pieces_of_any_size(dialogue: Dialogue, piece: int) -> None:
    played = play(dialogue, piece)
    expected, found = dialogue.settings["expect"].split(), played.result.split()
    assert [word for word, hope in zip(found, expected, strict=True) if hope not in (word, "*")] == []
    assert played.is_open == (dialogue.settings["line"] == "open")
    assert played.refused_copies == tuple(dialogue.settings.get("refused", "").split())


@pytest.mark.parametrize("piece", [0, 1, 3])
def test_a_dialogue_says_exactly_what_is_written_in_it(dialogue: Dialogue, piece: int) -> None:
    wanted, said = expected_bytes(dialogue), play(dialogue, piece).written
    if any(raw == b"*\r\n" for _, raw in dialogue.events):
        assert said.startswith(wanted)
        assert b"\r\n.\r\n" not in said
    else:
        assert said == wanted


def test_no_transcript_and_no_text_holds_a_secret(dialogue: Dialogue) -> None:
    played = play(dialogue)
    shown = "\n".join((*played.transcript, played.text))
    assert [secret for secret in SECRETS if secret in shown] == []
    assert shown.isprintable() or set(shown) - {"\n"} == {letter for letter in shown if letter.isprintable()}
    assert len(played.text) <= 500


def test_every_kind_of_outcome_has_a_dialogue() -> None:
    first_words = {load(path).settings["expect"].split()[0] for path in FILES}
    assert first_words == {"sent", "deferred", "refused", "unreachable", "uncertain", "trouble", "pop"}
