"""The everyday moves of a round on SQLite: claims in one statement, good answers and marks in another.

Views that only this connection knows take the rows as JSON. Their triggers make of each row the same conditional UPDATE
and the same event as ever, and undo everything when one row is not what its worker left it as.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError

from fumibako.delivery.states import State, Trigger

from .statements import EVENT_COLUMNS, IS_MARKABLE, Differs, Moves, Pen, Values


def settle(pen: Pen, moves: Moves) -> None:
    """Record good answers and make marks, or raise Differs and leave everything as it was."""
    rows = json.dumps(moves.accepted), json.dumps(moves.marked)
    _insert(pen, "settled", (moves.account_id, moves.at, moves.rest, moves.share, *rows))


def claim(pen: Pen, at: Any, rows: Sequence[Values]) -> None:
    """Claim rows of (delivery, its new attempt, owner), or raise Differs and leave everything as it was."""
    _insert(pen, "claimed", (at, json.dumps(rows)))


def _insert(pen: Pen, view: str, values: Values) -> None:
    for words in _VIEWS[view]:
        # Nothing happens where they are already: on every connection that has written a round.
        pen.run(words, ())
    try:
        pen.run(f"INSERT INTO {view} VALUES ({', '.join(['%s'] * len(values))})", values)
    except IntegrityError as error:
        if str(error) != "differs":
            raise
        raise Differs from None


def _view(name: str, columns: str, actions: str) -> tuple[str, str]:
    nothing = ", ".join("0" for _ in columns.split(","))
    return (
        f"CREATE TEMP VIEW IF NOT EXISTS {name} ({columns}) AS SELECT {nothing}",
        f"CREATE TEMP TRIGGER IF NOT EXISTS {name}_at_once INSTEAD OF INSERT ON {name} BEGIN {actions} END",
    )


def _rows(name: str, *more: str) -> str:
    columns = enumerate(("id", "attempt", "owner", *more))
    values = ", ".join(f"json_extract(value, '$[{place}]') AS {column}" for place, column in columns)
    return f"(SELECT {values} FROM json_each(NEW.{name})) AS held"


def _require_all(name: str) -> str:
    return f"SELECT RAISE(ABORT, 'differs') WHERE changes() <> json_array_length(NEW.{name})"


def _event(trigger: Trigger, before: State, after: State, said: str = "'', 0, '', ''") -> str:
    return (
        f"INSERT INTO sending_deliveryevent ({EVENT_COLUMNS}) "
        f"SELECT id, NEW.at, '{trigger}', '{before}', '{after}', attempt, owner, {said}, NULL, '', '' FROM"
    )


_SAID = ("stage", "code", "enhanced", "text")
_IS_THE_ROW = "sending_delivery.id = held.id AND sending_delivery.state ="
_IS_HELD = "sending_delivery.attempt = held.attempt AND sending_delivery.owner = held.owner"
_SETTLED = f"""
    UPDATE sending_delivery
    SET state = '{State.SENT}', changed_at = NEW.at, owner = '', stage = held.stage, code = held.code,
        enhanced = held.enhanced, text = held.text, refused_copies = held.refused_copies, not_before_at = NULL,
        sent_at = NEW.at
    FROM {_rows("accepted", *_SAID, "refused_copies")}
    WHERE {_IS_THE_ROW} '{State.HANDING_OVER}' AND {_IS_HELD};
    {_require_all("accepted")};
    {_event(Trigger.ACCEPT, State.HANDING_OVER, State.SENT, ", ".join(_SAID))} {_rows("accepted", *_SAID)};

    UPDATE sending_pace
    SET last_activity_at = CASE WHEN last_activity_at > NEW.at THEN last_activity_at ELSE NEW.at END,
        mail_seconds = mail_seconds * NEW.rest + NEW.share, trouble_count = 0
    WHERE account_id = NEW.account_id AND NEW.accepted <> '[]';
    SELECT RAISE(ABORT, 'differs') WHERE changes() <> (NEW.accepted <> '[]');

    UPDATE sending_delivery
    SET state = '{State.HANDING_OVER}', changed_at = NEW.at
    FROM {_rows("marked")}
    WHERE {_IS_THE_ROW} '{State.SENDING}' AND {_IS_HELD} AND {IS_MARKABLE};
    {_require_all("marked")};
    {_event(Trigger.MARK, State.SENDING, State.HANDING_OVER)} {_rows("marked")};"""
_CLAIMED = f"""
    UPDATE sending_delivery
    SET state = '{State.SENDING}', changed_at = NEW.at, attempt = held.attempt, owner = held.owner,
        claimed_at = NEW.at, not_before_at = NULL
    FROM {_rows("rows")}
    WHERE {_IS_THE_ROW} '{State.QUEUED}' AND sending_delivery.attempt = held.attempt - 1
        AND sending_delivery.owner = '';
    {_require_all("rows")};
    {_event(Trigger.CLAIM, State.QUEUED, State.SENDING)} {_rows("rows")};"""
_VIEWS = {
    "settled": _view("settled", "account_id, at, rest, share, accepted, marked", _SETTLED),
    "claimed": _view("claimed", "at, rows", _CLAIMED),
}
