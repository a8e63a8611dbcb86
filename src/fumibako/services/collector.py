"""Fetches one account's mail, from connecting to QUIT; nothing is deleted that is not durably kept."""

from __future__ import annotations

from fumibako.services.collecting.fetching import STRIDE
from fumibako.services.collecting.session import Session
from fumibako.services.collecting.terms import (
    SIZE_CAP,
    Collected,
    Fetched,
    Judge,
    Keep,
    Known,
    Listed,
    ListFlaw,
    Rule,
    Why,
)
from fumibako.services.opening import Surroundings, pop_opening
from fumibako.services.routes import PopRoute
from fumibako.services.trouble import Trouble

__all__ = [
    "SIZE_CAP",
    "Collected",
    "Fetched",
    "Judge",
    "Keep",
    "Known",
    "ListFlaw",
    "Listed",
    "PopRoute",
    "Rule",
    "Surroundings",
    "Trouble",
    "Why",
    "collect",
]


MOST_SESSIONS = 10
"""A mail beyond the cap costs the line; the rest is fetched over a new one at once."""


def collect(route: PopRoute, rule: Rule, known: Known, keep: Keep, around: Surroundings | None = None) -> Collected:
    """Fetch what is new, and delete what may be deleted. The account's lock is the caller's business.

    Never raises for what server or network does: that is `Collected.trouble`. What `known` or `keep` raise ends the
    session without a DELE and comes out unchanged. Raises LocalError for a user or password POP3 cannot carry.
    """
    collected = Collected()
    stride = STRIDE
    for _ in range(MOST_SESSIONS):
        opening, talk = pop_opening(route, around or Surroundings())
        try:
            stride = Session(opening, talk, rule, known, keep, collected).run(stride)
        except Trouble as trouble:
            collected.trouble = trouble
            break
        finally:
            opening.close()
        if not stride:
            break
    return collected
