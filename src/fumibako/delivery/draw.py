"""The state machine as a page for people: `docs/states.md` is what `page()` returns."""

from __future__ import annotations

from .states import IN_FLIGHT, MOVES, NEEDS_A_PERSON_TO, TERMINAL, State

_HEAD = """# States of a delivery

Drawn from `src/fumibako/delivery/states.py` by `python -m fumibako.delivery.draw > docs/states.md`; a test keeps it so.

"""


def page() -> str:
    """Return docs/states.md: a Mermaid diagram and the same as a table."""
    return _HEAD + _diagram() + "\n" + _table()


def _diagram() -> str:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.PLANNED}", f"    [*] --> {State.SUPPRESSED}"]
    for (state, trigger), after in MOVES.items():
        by_hand = " (a person)" if trigger in NEEDS_A_PERSON_TO else ""
        lines.append(f"    {state} --> {after}: {trigger}{by_hand}")
    lines += [f"    {state} --> [*]" for state in State if state in TERMINAL]
    return "\n".join([*lines, "```", ""])


def _table() -> str:
    lines = ["| state | owned by a worker | leaves by |", "|---|---|---|"]
    for state in State:
        moves = [f"{trigger} → {after}" for (before, trigger), after in MOVES.items() if before is state]
        lines.append(f"| {state} | {'yes' if state in IN_FLIGHT else ''} | {' · '.join(moves) or '–'} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    print(page(), end="")
