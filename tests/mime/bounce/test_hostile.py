"""Error mails that are built to be expensive or to break something: bounded, and nothing ever raises."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fumibako.mime.bounce import REASONS, Kind, Report, head_is_bounce, recognise
from tests.mime.bounce.bombs import BOMBS
from tests.mime.bounce.samples import samples

ROOT = Path(__file__).parents[3]
SECONDS = 5
MEMORY = 256 * 1024 * 1024
CHILD = """
import sys
from tests.mime.bounce.bombs import BOMBS
from fumibako.mime.bounce import head_is_bounce, recognise

raw = BOMBS[sys.argv[1]]()
report = recognise(raw)
head_is_bounce(raw)
assert len(report.recipients) <= 1000
assert all(len(failure.text) <= 500 for failure in report.recipients)
print("whole")
"""
WHOLE = [mail.raw for mail in samples()]


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


@pytest.mark.parametrize("name", BOMBS)
def test_x21_a_bomb_among_error_mails_is_read_in_five_seconds_and_256_mib(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, name],
        cwd=ROOT,
        env={"PYTHONPATH": "src:.", "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.strip() or f"{done.returncode} {done.stderr[-500:]}") == "whole"


@given(st.binary(max_size=3_000))
@settings(max_examples=150, deadline=None)
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    must_be_sound(recognise(raw))
    assert head_is_bounce(raw) in (True, False, None)


@given(st.sampled_from(WHOLE), st.data())
@settings(max_examples=200, deadline=None)
def test_no_damage_to_an_error_mail_makes_it_raise(raw: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(raw)))
    length = data.draw(st.integers(0, 200))
    filling = data.draw(st.binary(max_size=60))
    damaged = raw[:start] + filling + raw[start + length :]
    must_be_sound(recognise(damaged))


@given(st.sampled_from(WHOLE), st.integers(0, 6_000))
@settings(max_examples=100, deadline=None)
def test_a_mail_that_breaks_off_anywhere_is_read_as_far_as_it_goes(raw: bytes, end: int) -> None:
    must_be_sound(recognise(raw[:end]))


def must_be_sound(report: Report) -> None:
    """Whatever came in, what comes out keeps its promises."""
    assert report.kind in Kind
    for failure in report.recipients:
        assert failure.reason in REASONS
        assert failure.text.isprintable()
        assert len(failure.text) <= 500
        assert failure.code == 0 or 400 <= failure.code <= 579
        assert not failure.hard or failure.reason in ("userunknown", "hostunknown", "hasmoved", "notaccept")
