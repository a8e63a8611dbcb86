"""Model check of the real table and the real decisions: one row, two workers, a reaper with an arbitrary clock.

Everything that can happen in any order is tried: a kill at any instant, the line lost before or after the final dot,
a worker's row taken away while it still acts, one resend by a person. Each weakened variant shows what its rule buys.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from fumibako.delivery.decision import Standing, decide
from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict
from fumibako.delivery.states import MOVES, State, Trigger, destination, sources

ATTEMPTS = 3
RESENDS = 1

AFTER_DOT = {
    "2xx": Outcome(Verdict.SENT, Scope.RECIPIENT, Stage.DOT, 250),
    "4xx": Outcome(Verdict.DEFERRED, Scope.RECIPIENT, Stage.DOT, 451),
    "4xx session": Outcome(Verdict.DEFERRED, Scope.SESSION, Stage.DOT, 421),
    "5xx": Outcome(Verdict.REFUSED, Scope.RECIPIENT, Stage.DOT, 550),
    "lost": Outcome(Verdict.UNCERTAIN, Scope.SESSION, Stage.DOT),
    "not written": Outcome(Verdict.UNREACHABLE, Scope.SESSION, Stage.MARK),
}
BEFORE_DOT = {
    "4xx": Outcome(Verdict.DEFERRED, Scope.RECIPIENT, Stage.RCPT, 450),
    "5xx": Outcome(Verdict.REFUSED, Scope.RECIPIENT, Stage.RCPT, 550),
    "lost": Outcome(Verdict.UNREACHABLE, Scope.SESSION, Stage.BODY),
    "sender": Outcome(Verdict.REFUSED, Scope.SENDER, Stage.MAIL, 550),
}


@dataclass(frozen=True)
class Hand:
    """One worker: where its program stands, and the attempt it thinks it holds."""

    place: str = "idle"
    attempt: int = 0
    heard: str = ""


@dataclass(frozen=True)
class World:
    """The row as stored, and what the world has received."""

    state: State = State.PLANNED
    attempt: int = 0
    owner: int = -1
    copies: int = 0
    resends: int = 0
    is_cancelled: bool = False
    is_sent_by_word: bool = False
    """A person said: treat it as sent."""
    is_restored: bool = False
    """Once an old copy of the records was put in place: the row is what it was, the mails that left have left."""
    hands: tuple[Hand, Hand] = (Hand(), Hand())


Next = Iterator[tuple[str, World]]


@dataclass
class Rules:
    """The recommended protocol; a weakened variant replaces one member."""

    moves: dict[tuple[State, Trigger], State] = field(default_factory=lambda: dict(MOVES))
    has_mark: bool = True
    is_fenced: bool = True
    reaped: dict[State, Trigger] = field(
        default_factory=lambda: {State.SENDING: Trigger.PUT_BACK, State.HANDING_OVER: Trigger.LOSE_ANSWER}
    )
    decides: Callable[[Outcome], Trigger] = lambda outcome: decide(outcome, Standing()).trigger
    doubts_restored: bool = True
    used: set[tuple[State, Trigger]] = field(default_factory=set)

    def to(self, state: State, trigger: Trigger) -> State | None:
        """Where the table leads, None when it has no such move; what was used is noted."""
        after = self.moves.get((state, trigger))
        if after is not None:
            self.used.add((state, trigger))
        return after


def steps(world: World, rules: Rules) -> Next:
    yield from steps_without_workers(world, rules)
    for number in (0, 1):
        yield from steps_of_worker(world, number, rules)


def moved(world: World, trigger: Trigger, rules: Rules, **columns: object) -> Next:
    after = rules.to(world.state, trigger)
    if after is not None:
        yield trigger, replace(world, **({"state": after, "owner": -1} | columns))  # type: ignore[arg-type]


def steps_without_workers(world: World, rules: Rules) -> Next:
    """The sweep, the reaper with a clock of its own, error mails, proof, and people."""
    for trigger in (Trigger.RELEASE, Trigger.EXPIRE, Trigger.SUPPRESS):
        yield from moved(world, trigger, rules)
    yield from _restored(world, rules)
    if not world.is_cancelled:
        yield "the job is cancelled", replace(world, is_cancelled=True)
    elif world.state in (State.PLANNED, State.QUEUED):
        yield from moved(world, Trigger.CANCEL, rules)
    if world.state in rules.reaped:
        yield from moved(world, rules.reaped[world.state], rules)
    if world.copies and world.state in (State.UNKNOWN, State.SENT):
        yield from moved(world, Trigger.BOUNCE, rules)
    if world.state is State.UNKNOWN:
        yield from moved(world, Trigger.TREAT_AS_SENT, rules, is_sent_by_word=True)
        yield from moved(world, Trigger.GIVE_UP, rules)
        if world.resends < RESENDS and not world.is_cancelled:
            yield from moved(world, Trigger.RESEND, rules, resends=world.resends + 1)


def _restored(world: World, rules: Rules) -> Next:
    """An old copy is put in place and released: workers have ended, and any earlier state may come back."""
    for state in () if world.is_restored else sorted(sources(Trigger.RESTORE)):
        old = replace(world, state=state, owner=-1, hands=World().hands, is_restored=True)
        if rules.doubts_restored:
            yield from moved(old, Trigger.RESTORE, rules)
        elif state is State.QUEUED:
            yield "an old copy goes on by itself", old


def with_hand(world: World, number: int, hand: Hand) -> World:
    hands = list(world.hands)
    hands[number] = hand
    return replace(world, hands=(hands[0], hands[1]))


def steps_of_worker(world: World, number: int, rules: Rules) -> Next:
    hand = world.hands[number]
    if hand.place == "idle":
        if world.state is State.QUEUED and world.attempt < ATTEMPTS and not world.is_cancelled:
            attempt = world.attempt + 1
            for name, after in moved(world, Trigger.CLAIM, rules, owner=number, attempt=attempt):
                yield name, with_hand(after, number, Hand("content", attempt))
        return
    yield f"{number} is killed", with_hand(world, number, Hand())
    if hand.place == "content":
        yield from _at_content(world, number, rules)
    elif hand.place == "marked":
        yield from _at_dot(world, number)
    else:
        yield from _record(world, number, rules)


def is_mine(world: World, number: int, rules: Rules) -> bool:
    return not rules.is_fenced or (world.attempt == world.hands[number].attempt and world.owner == number)


def _at_content(world: World, number: int, rules: Rules) -> Next:
    hand = world.hands[number]
    for name in BEFORE_DOT:
        yield f"{number} hears {name}", with_hand(world, number, replace(hand, place="early", heard=name))
    if not rules.has_mark:
        yield f"{number} goes on unmarked", with_hand(world, number, replace(hand, place="marked"))
    elif is_mine(world, number, rules) and not world.is_cancelled and world.state is State.SENDING:
        for name, after in moved(world, Trigger.MARK, rules, owner=number):
            yield f"{number} {name}", with_hand(after, number, replace(hand, place="marked"))
    elif not rules.is_fenced:
        blind = replace(world, state=State.HANDING_OVER, owner=number)
        yield f"{number} marks blindly", with_hand(blind, number, replace(hand, place="marked"))
    else:
        lost = replace(hand, place="early", heard="lost")
        yield f"{number} cannot mark and drops the line", with_hand(world, number, lost)


def _at_dot(world: World, number: int) -> Next:
    hand = world.hands[number]

    def after(heard: str, copies: int) -> World:
        return with_hand(replace(world, copies=copies), number, replace(hand, place="late", heard=heard))

    yield f"{number} writes no dot (stopwatch)", after("not written", world.copies)
    yield f"{number} dot never arrives", after("lost", world.copies)
    for name in ("2xx", "4xx", "4xx session", "5xx"):
        copies = world.copies + (name == "2xx")
        yield f"{number} dot answered {name}", after(name, copies)
        yield f"{number} dot answered {name}, answer lost", after("lost", copies)


def _record(world: World, number: int, rules: Rules) -> Next:
    hand = world.hands[number]
    outcome = (AFTER_DOT if hand.place == "late" else BEFORE_DOT)[hand.heard]
    trigger = rules.decides(outcome)
    if world.is_cancelled and world.state is State.SENDING and trigger in (Trigger.PUT_BACK, Trigger.DEFER):
        trigger = Trigger.CANCEL
    done = replace(world, hands=with_hand(world, number, Hand()).hands)
    in_flight = world.state in (State.SENDING, State.HANDING_OVER)
    if is_mine(world, number, rules) and (in_flight or not rules.is_fenced):
        source = world.state if in_flight else State.HANDING_OVER
        after = rules.to(source, trigger)
        if after is None and rules.has_mark and rules.is_fenced:
            raise AssertionError(f"the table has no {trigger} from {source}")
        fallback = {Trigger.ACCEPT: State.SENT, Trigger.REFUSE: State.FAILED}.get(trigger, State.QUEUED)
        yield f"{number} records {trigger}", replace(done, state=after or fallback, owner=-1)
    elif world.state is State.UNKNOWN and world.attempt == hand.attempt and trigger is Trigger.ACCEPT:
        yield from ((f"{number} proves", after) for _, after in moved(done, Trigger.PROVE_SENT, rules))
    else:
        yield f"{number} drops its news", done


PROMISES: dict[str, Callable[[World], bool]] = {
    "copies ≤ 1 + resends": lambda w: w.copies <= 1 + w.resends,
    "SENT means that a server took it, or that a person said so": lambda w: (
        w.state is not State.SENT or w.copies > 0 or w.is_sent_by_word
    ),
    "a row that waits to be sent by itself has no copy": lambda w: (
        not (w.state in (State.PLANNED, State.QUEUED) and w.resends == 0 and w.copies > 0)
    ),
    "FAILED without a resend means no copy": lambda w: (
        not (w.state is State.FAILED and w.resends == 0 and w.copies > 0)
    ),
    "CANCELLED, EXPIRED and SUPPRESSED without a resend mean no copy": lambda w: (
        not (w.state in (State.CANCELLED, State.EXPIRED, State.SUPPRESSED) and w.resends == 0 and w.copies > 0)
    ),
}
OVER = {
    State.SENT, State.FAILED, State.BOUNCED, State.SUPPRESSED, State.EXPIRED, State.CANCELLED, State.CLOSED,
    State.UNKNOWN,
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """What a walk through every reachable world found."""

    world_count: int
    broken: dict[str, list[str]]
    stuck_count: int
    used: set[tuple[State, Trigger]]


def check(rules: Rules, *, until: str = "") -> Finding:
    """Walk every world that can be reached; a broken promise comes with the shortest way to it.

    With `until` the walk ends as soon as that promise is broken.
    """
    start = World()
    came_from: dict[World, tuple[str, World] | None] = {start: None}
    before: dict[World, list[World]] = {}
    queue, broken = deque([start]), {}
    while queue and until not in broken:
        world = queue.popleft()
        for name, holds in PROMISES.items():
            if name not in broken and not holds(world):
                broken[name] = way_to(world, came_from)
        for action, after in steps(world, rules):
            before.setdefault(after, []).append(world)
            if after not in came_from:
                came_from[after] = (action, world)
                queue.append(after)
    return Finding(len(came_from), broken, len(came_from) - len(leading_to_an_end(came_from, before)), rules.used)


def way_to(world: World, came_from: dict[World, tuple[str, World] | None]) -> list[str]:
    way = []
    while (origin := came_from[world]) is not None:
        action, world = origin
        way.append(action)
    return way[::-1]


def leading_to_an_end(worlds: dict[World, tuple[str, World] | None], before: dict[World, list[World]]) -> set[World]:
    ends = [world for world in worlds if world.state in OVER]
    reached, queue = set(ends), list(ends)
    while queue:
        for previous in before.get(queue.pop(), ()):
            if previous not in reached:
                reached.add(previous)
                queue.append(previous)
    return reached


def decides_to_retry_when_the_answer_is_lost(outcome: Outcome) -> Trigger:
    if outcome.verdict is Verdict.UNCERTAIN:
        return Trigger.PUT_BACK
    return decide(outcome, Standing()).trigger


@pytest.fixture(scope="module")
def finding() -> Finding:
    """What the real rules come to."""
    return check(Rules())


def test_the_real_table_and_decisions_keep_every_promise_and_nothing_is_ever_stuck(finding: Finding) -> None:
    assert finding.broken == {}
    assert finding.stuck_count == 0
    assert finding.world_count > 1000


def test_the_model_walks_every_move_of_the_real_table(finding: Finding) -> None:
    assert set(MOVES) - finding.used == set(), "a move was added that the model does not know"


@pytest.mark.parametrize(
    ("weakness", "rules", "promise"),
    [
        ("no mark before the dot", Rules(has_mark=False), "copies ≤ 1 + resends"),
        (
            "a lost answer is tried again",
            Rules(decides=decides_to_retry_when_the_answer_is_lost),
            "copies ≤ 1 + resends",
        ),
        ("nobody checks attempt and owner", Rules(is_fenced=False), "copies ≤ 1 + resends"),
        (
            "the reaper queues what was after the mark",
            Rules(reaped={State.SENDING: Trigger.PUT_BACK, State.HANDING_OVER: Trigger.PUT_BACK}),
            "copies ≤ 1 + resends",
        ),
        (
            "a restored copy goes on by itself",
            Rules(doubts_restored=False),
            "copies ≤ 1 + resends",
        ),
        (
            "a cancel reaches over the mark",
            Rules(
                moves=MOVES | {(State.HANDING_OVER, Trigger.CANCEL): State.CANCELLED},
                reaped={State.SENDING: Trigger.PUT_BACK, State.HANDING_OVER: Trigger.CANCEL},
            ),
            "CANCELLED, EXPIRED and SUPPRESSED without a resend mean no copy",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_weakened_rule_breaks_a_promise(weakness: str, rules: Rules, promise: str) -> None:
    broken = check(rules, until=promise).broken
    assert promise in broken, weakness
    assert broken[promise], "and the way to it can be read"


def test_without_a_reaper_rows_of_dead_workers_are_stuck() -> None:
    assert check(Rules(reaped={})).stuck_count > 0


def test_the_model_uses_the_real_table() -> None:
    assert all(destination(state, trigger) is after for (state, trigger), after in Rules().moves.items())
