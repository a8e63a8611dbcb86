"""Model check of the real table and the real decisions about what is fetched, kept and deleted on a POP3 server.

Everything that can happen in any order is tried: a kill or a lost line at any instant, QUIT obeyed but not heard, a
server that renumbers, uids given to other mails, an empty list on a bad day, somebody else deleting, mails that cannot
be fetched, the rule switched on and off. Each weakened variant shows what its rule buys.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import pytest

from fumibako.services.collecting.memory import (
    MOVES,
    TRIES,
    Seen,
    SeenState,
    SeenTrigger,
    after_failure,
    is_believable,
    is_new,
    may_delete,
)
from fumibako.services.collector import Listed, Why

ERROR_MAILS = ("A", "C")
SIZES = {"A": 1, "B": 2, "C": 1, "D": 3}
"""C is as large as A: only what is remembered of uids can tell them apart before the bytes are there."""


class Row(NamedTuple):
    """What is remembered of one uid. `content` is for the promises only: no decision may look at it."""

    uid: str
    state: SeenState
    size: int = 0
    tries: int = 0
    content: str = ""


class Mail(NamedTuple):
    """One mail on the server."""

    content: str
    uid: str


class Session(NamedTuple):
    """A session: what was listed, what is still to be fetched, what was marked for deletion, None before that."""

    listed: tuple[Mail, ...]
    todo: tuple[Mail, ...]
    marked: tuple[Mail, ...] | None = None


class Budget(NamedTuple):
    """How often each of the things may still happen that happen to us."""

    renumber: int = 0
    arrive: int = 0
    kill: int = 0
    glitch: int = 0
    strange: int = 0
    """Somebody else deletes a mail."""
    fail: int = 0
    switch: int = 0


class World(NamedTuple):
    """The server, what we hold durably, and one session."""

    box: tuple[Mail, ...] = (Mail("A", "u1"), Mail("B", "u2"))
    stored: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    empty_lists: int = 0
    session: Session | None = None
    bounce_only: bool = False
    budget: Budget = Budget()
    taken_away: frozenset[str] = frozenset()
    """Contents that somebody else deleted."""
    hidden: frozenset[str] = frozenset()
    """Uids freed by somebody else, or by renumbering, that no list has shown us to be missing."""
    lost_by_delete: bool = False


Next = Iterator[tuple[str, World]]
Moves = dict[tuple[SeenState, SeenTrigger], SeenState]


@dataclass
class Rules:
    """The recommended protocol; a weakened variant replaces one member."""

    moves: Moves = field(default_factory=lambda: dict(MOVES))
    news: Callable[[Listed, Seen | None, bool], bool] = lambda one, seen, only: is_new(one, seen, bounce_only=only)
    deletes: Callable[[Listed, Seen | None], bool] = may_delete
    compares_hashes: bool = True
    has_mark: bool = True
    keeps_before_deleting: bool = True
    believes: Callable[[int, int], bool] = is_believable
    deletes_only_error_mails: bool = True
    used: set[tuple[SeenState, SeenTrigger]] = field(default_factory=set)

    def moved(self, row: Row, trigger: SeenTrigger) -> Row:
        """The row after `trigger`; a move the table does not know changes nothing. What was used is noted."""
        to = self.moves.get((row.state, trigger))
        if to is None:
            return row
        self.used.add((row.state, trigger))
        return row._replace(state=to)


def row_of(world: World, uid: str) -> Row | None:
    return next((row for row in world.rows if row.uid == uid), None)


def seen_of(world: World, uid: str) -> Seen | None:
    row = row_of(world, uid)
    return Seen(row.state, row.size, row.tries) if row else None


def turned(world: World, rules: Rules, uid: str, trigger: SeenTrigger, **facts: object) -> World:
    row = rules.moved(row_of(world, uid) or Row(uid, SeenState.WAITING), trigger)._replace(**facts)  # type: ignore[arg-type]
    return world._replace(rows=tuple(sorted((*(one for one in world.rows if one.uid != uid), row))))


def spent(world: World, name: str) -> World:
    return world._replace(budget=world.budget._replace(**{name: getattr(world.budget, name) - 1}))


def listed_as(world: World, mail: Mail, number: int = 1) -> Listed:
    is_duplicate = sum(1 for one in world.box if one.uid == mail.uid) > 1
    return Listed(number, mail.uid, SIZES[mail.content], is_duplicate)


def steps(world: World, rules: Rules) -> Next:
    budget = world.budget
    if world.session is None:
        yield from steps_between_sessions(world, rules)
        return
    if budget.kill:
        yield "kill, or the line is lost", spent(world, "kill")._replace(session=None)
    if world.session.todo:
        yield from steps_of_fetching(world, world.session, rules)
    elif world.session.marked is None:
        yield from steps_of_marking(world, world.session, rules)
    else:
        yield from steps_of_quitting(world, world.session.marked, rules)


def steps_between_sessions(world: World, rules: Rules) -> Next:
    budget = world.budget
    yield "session", opened(world, rules, world.box)
    if budget.glitch and world.box:
        yield "an empty list", opened(spent(world, "glitch"), rules, ())._replace(session=None)
    if budget.renumber and world.box:
        box = tuple(mail._replace(uid=mail.uid + "'") for mail in world.box)
        hidden = world.hidden | {mail.uid for mail in world.box}
        yield "renumber", spent(world, "renumber")._replace(box=box, hidden=hidden)
    if budget.arrive:
        yield from arrivals(spent(world, "arrive"))
    if budget.strange:
        yield from strange_deletions(spent(world, "strange"))
    if budget.switch:
        yield "the rule is switched", spent(world, "switch")._replace(bounce_only=not world.bounce_only)
    for row in world.rows:
        if row.state is SeenState.QUARANTINED:
            yield "a person asks for another try", turned(world, rules, row.uid, SeenTrigger.TRY_AGAIN, tries=0)


def strange_deletions(world: World) -> Next:
    for mail in world.box:
        box = tuple(one for one in world.box if one != mail)
        taken_away, hidden = world.taken_away | {mail.content}, world.hidden | {mail.uid}
        yield f"somebody deletes {mail.content}", world._replace(box=box, taken_away=taken_away, hidden=hidden)


def arrivals(world: World) -> Next:
    """A new mail under a new uid, or under any that is free. One as large as A never under a uid freed in secret."""
    free = {row.uid for row in world.rows} - {mail.uid for mail in world.box}
    for uid in sorted(free | {"u3"}):
        for content in "D" if uid in world.hidden else "CD":
            yield f"{content} arrives as {uid}", world._replace(box=(*world.box, Mail(content, uid)))


def opened(world: World, rules: Rules, listed: tuple[Mail, ...]) -> World:
    if rules.believes(len(listed), world.empty_lists):
        there = {mail.uid for mail in listed}
        for row in world.rows:
            if row.uid not in there:
                world = turned(world, rules, row.uid, SeenTrigger.VANISH)
        world = world._replace(hidden=world.hidden & there)
    world = world._replace(empty_lists=0 if listed else min(world.empty_lists + 1, 3))
    todo = tuple(
        mail for mail in listed if rules.news(listed_as(world, mail), seen_of(world, mail.uid), world.bounce_only)
    )
    return world._replace(session=Session(listed, todo))


def steps_of_fetching(world: World, session: Session, rules: Rules) -> Next:
    mail, rest = session.todo[0], session._replace(todo=session.todo[1:])
    if not rules.keeps_before_deleting and session.marked is None:
        yield "DELE first", marked(world, session, rules)
    if world.bounce_only and mail.content not in ERROR_MAILS:
        yield f"skip {mail.content}", turned(world, rules, mail.uid, SeenTrigger.SKIP)._replace(session=rest)
        return
    if world.budget.fail:
        for why in (Why.CUT, Why.TOO_BIG):
            seen = seen_of(world, mail.uid)
            failed = turned(
                spent(world, "fail"),
                rules,
                mail.uid,
                after_failure(seen, why),
                tries=min((seen.try_count if seen else 0) + 1, TRIES),
            )
            yield f"{why} {mail.content}", failed._replace(session=None)
    is_known = rules.compares_hashes and mail.content in world.stored
    stored = world.stored if is_known else tuple(sorted((*world.stored, mail.content)))
    kept = turned(world, rules, mail.uid, SeenTrigger.KEEP, size=SIZES[mail.content], tries=0, content=mail.content)
    yield f"keep {mail.content}", kept._replace(stored=stored, session=rest)


def marked(world: World, session: Session, rules: Rules) -> World:
    chosen = tuple(mail for mail in session.listed if is_chosen(world, mail, rules))
    if rules.has_mark:
        for mail in chosen:
            world = turned(world, rules, mail.uid, SeenTrigger.LEAVE)
    return world._replace(session=session._replace(marked=chosen))


def is_chosen(world: World, mail: Mail, rules: Rules) -> bool:
    if not rules.keeps_before_deleting:
        return True
    row = row_of(world, mail.uid)
    if world.bounce_only and rules.deletes_only_error_mails and (row is None or row.content not in ERROR_MAILS):
        return False
    return rules.deletes(listed_as(world, mail), seen_of(world, mail.uid))


def steps_of_marking(world: World, session: Session, rules: Rules) -> Next:
    yield "mark and DELE", marked(world, session, rules)
    yield "QUIT without deleting", world._replace(session=None)


def steps_of_quitting(world: World, chosen: tuple[Mail, ...], rules: Rules) -> Next:
    left = tuple(mail for mail in world.box if mail not in chosen)
    done = world._replace(
        box=left,
        session=None,
        lost_by_delete=world.lost_by_delete or any(mail.content not in world.stored for mail in chosen),
    )
    if world.budget.kill:
        yield "QUIT obeyed, not heard", spent(done, "kill")
    heard = done
    for mail in chosen:
        heard = turned(heard, rules, mail.uid, SeenTrigger.CONFIRM)
    yield "QUIT obeyed and heard", heard
    refused = world._replace(session=None)
    for mail in chosen:
        refused = turned(refused, rules, mail.uid, SeenTrigger.STAY)
    yield "DELE refused, or taken back", refused


def is_lost(world: World) -> bool:
    arrived = {mail.content for mail in world.box} | {row.content for row in world.rows if row.content} | {"A", "B"}
    return bool(arrived - {mail.content for mail in world.box} - set(world.stored) - world.taken_away)


def is_never_fetched(world: World, rules: Rules) -> bool:
    """A mail that waits on the server, and that a whole session from here would not even try to fetch."""
    if world.session is not None:
        return False
    asked = opened(world._replace(bounce_only=False), Rules(moves=rules.moves, news=rules.news), world.box)
    assert asked.session is not None
    for mail in world.box:
        row = row_of(asked, mail.uid)
        is_set_aside = row is not None and row.state is SeenState.QUARANTINED
        if mail.content not in world.stored and mail not in asked.session.todo and not is_set_aside:
            return True
    return False


PROMISES: dict[str, Callable[[World, Rules], bool]] = {
    "nothing is lost": lambda world, rules: not is_lost(world) and not world.lost_by_delete,
    "nothing is stored twice": lambda world, rules: len(set(world.stored)) == len(world.stored),
    "nothing is left unfetched in silence": lambda world, rules: not is_never_fetched(world, rules),
    "only failures are set aside": lambda world, rules: all(
        row.tries > 0 for row in world.rows if row.state is SeenState.QUARANTINED
    ),
    "an empty list once makes nobody forget": lambda world, rules: (
        world.empty_lists != 1 or world.session is not None or not world.box or not has_forgotten(world)
    ),
}
LINE = Budget(renumber=1, arrive=1, kill=2, glitch=1)
PEOPLE = Budget(arrive=1, kill=1, strange=1, fail=1, switch=2)
POISON = Budget(kill=1, strange=1, fail=4)


def has_forgotten(world: World) -> bool:
    return any(
        row.state is SeenState.GONE and any(mail == Mail(row.content, row.uid) for mail in world.box)
        for row in world.rows
    )


def broken_by(rules: Rules, *budgets: Budget, until: str = "") -> tuple[dict[str, list[str]], int]:
    """Walk everything; return each broken promise with the shortest way to it, and how many worlds there are."""
    broken: dict[str, list[str]] = {}
    count = 0
    for budget in budgets:
        start = World(budget=budget)
        came_from: dict[World, tuple[str, World] | None] = {start: None}
        queue = deque([start])
        while queue and until not in broken:
            world = queue.popleft()
            for name, holds in PROMISES.items():
                if name not in broken and not holds(world, rules):
                    broken[name] = way_to(world, came_from)
            for action, to in steps(world, rules):
                if to not in came_from:
                    came_from[to] = (action, world)
                    queue.append(to)
        count += len(came_from)
    return broken, count


def way_to(world: World, came_from: dict[World, tuple[str, World] | None]) -> list[str]:
    way = []
    while (origin := came_from[world]) is not None:
        action, world = origin
        way.append(action)
    return way[::-1]


def test_the_real_table_and_decisions_keep_every_promise_and_every_move_is_walked() -> None:
    rules = Rules()
    broken, count = broken_by(rules, LINE, PEOPLE, POISON)
    assert broken == {}
    assert count > 1000
    assert set(MOVES) - rules.used == set(), "a move was added that the model does not know"


def without(*triggers: SeenTrigger) -> Moves:
    return {(state, trigger): to for (state, trigger), to in MOVES.items() if trigger not in triggers}


def for_ever(listed: Listed, seen: Seen | None, bounce_only: bool) -> bool:
    return seen is None or seen.state is SeenState.WAITING


def whatever_the_size(listed: Listed, seen: Seen | None, bounce_only: bool) -> bool:
    return is_new(replace(listed, size=0), seen, bounce_only=bounce_only)


def whatever_is_remembered(listed: Listed, seen: Seen | None) -> bool:
    return seen is not None and seen.state is not SeenState.WAITING


@pytest.mark.parametrize(
    ("weakness", "rules", "promise"),
    [
        ("a uid once seen is known for ever", Rules(news=for_ever), "nothing is left unfetched in silence"),
        ("DELE before the mail is kept", Rules(keeps_before_deleting=False), "nothing is lost"),
        ("bytes are not compared", Rules(compares_hashes=False), "nothing is stored twice"),
        ("no mark before DELE", Rules(has_mark=False), "nothing is left unfetched in silence"),
        (
            "what is missing from a list stays known",
            Rules(moves=without(SeenTrigger.VANISH)),
            "nothing is left unfetched in silence",
        ),
        ("another size is not noticed", Rules(news=whatever_the_size), "nothing is left unfetched in silence"),
        ("what was only seen is deleted", Rules(deletes=whatever_is_remembered), "nothing is lost"),
        (
            "one empty list is believed",
            Rules(believes=lambda count, before: True),
            "an empty list once makes nobody forget",
        ),
        (
            "what was left by rule stays left",
            Rules(news=lambda one, seen, only: is_new(one, seen, bounce_only=True)),
            "nothing is left unfetched in silence",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_weakened_rule_breaks_a_promise(weakness: str, rules: Rules, promise: str) -> None:
    broken, _ = broken_by(rules, LINE, PEOPLE, POISON, until=promise)
    assert promise in broken, weakness
    assert broken[promise], "and the way to it can be read"
