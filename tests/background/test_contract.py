"""What everything that runs work must keep; each engine is tested by the same sentences."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from fumibako.background.embedded import Embedded
from fumibako.background.port import Background

SECONDS = 10


class Engine:
    """An engine under test, and the failures it reported."""

    def __init__(self) -> None:
        self.failures: list[tuple[str, BaseException]] = []
        self.tidied: list[str] = []
        self.runs: Background = Embedded(
            report=lambda name, error: self.failures.append((name, error)),
            tidy=lambda: self.tidied.append(threading.current_thread().name),
        )


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    assert engine.runs.stop(SECONDS)


def signalled(event: threading.Event) -> bool:
    return event.wait(SECONDS)


def test_work_of_one_name_never_runs_twice_at_once(engine: Engine) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        may_end.wait(SECONDS)

    assert engine.runs.run("account-1", work)
    assert signalled(begun)
    assert engine.runs.is_running("account-1")
    assert not engine.runs.run("account-1", work)
    assert engine.runs.run("account-2", lambda: None)
    may_end.set()


def test_work_may_run_again_once_it_ended(engine: Engine) -> None:
    for _ in range(3):
        ended = threading.Event()
        while not engine.runs.run("account-1", ended.set):
            continue
        assert signalled(ended)
    assert engine.failures == []


def test_scheduled_work_runs_at_once_and_again_and_again(engine: Engine) -> None:
    enough = count_to(3)
    engine.runs.every(0.01, enough.step)
    assert signalled(enough.reached)


def test_a_wake_up_does_not_wait_for_the_schedule(engine: Engine) -> None:
    first, second = count_to(1), count_to(2)

    def work() -> None:
        first.step()
        second.step()

    engine.runs.every(3600, work)
    assert signalled(first.reached)
    engine.runs.wake()
    assert signalled(second.reached)


def test_a_wake_up_during_a_round_is_not_lost(engine: Engine) -> None:
    begun, may_end, twice = threading.Event(), threading.Event(), count_to(2)

    def work() -> None:
        begun.set()
        may_end.wait(SECONDS)
        twice.step()

    engine.runs.every(3600, work)
    assert signalled(begun)
    engine.runs.wake()
    may_end.set()
    assert signalled(twice.reached)


def test_a_failing_round_is_reported_and_the_next_one_comes(engine: Engine) -> None:
    thrice = count_to(3)

    def work() -> None:
        thrice.step()
        raise LookupError("no")

    engine.runs.every(0.01, work)
    assert signalled(thrice.reached)
    assert isinstance(engine.failures[0][1], LookupError)


def test_what_a_thread_opened_is_closed_in_that_thread(engine: Engine) -> None:
    names: list[str] = []
    engine.runs.run("account-7", lambda: names.append(threading.current_thread().name))
    assert engine.runs.stop(SECONDS)
    assert engine.tidied == names == ["account-7"]


def test_stopping_waits_for_what_is_under_way_and_begins_nothing_new(engine: Engine) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        may_end.wait(SECONDS)

    engine.runs.run("account-1", work)
    assert signalled(begun)
    assert not engine.runs.stop(0.01)
    assert not engine.runs.run("account-2", lambda: None)
    may_end.set()


class count_to:  # noqa: N801
    """Sets `reached` at the nth step."""

    def __init__(self, wanted: int) -> None:
        self._left = wanted
        self.reached = threading.Event()

    @property
    def step(self) -> Callable[[], None]:
        return self._step

    def _step(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self.reached.set()
