"""Facts about the office. Never writes, but for the one settings row that must exist."""

from __future__ import annotations

from . import instance
from .models import Office, Operator


def office() -> Office:
    """Return the one settings row, making it on first use."""
    found, _ = Office.objects.get_or_create(id=1)
    return found


def has_administrator() -> bool:
    """Tell whether somebody can log in and run the place; until then there is the one-time link."""
    return Operator.objects.filter(is_administrator=True).exists()


def outbound_hold() -> str:
    """Return why this data folder may neither send nor fetch, as a word of `office.instance`; "" when it may.

    Whatever sends, fetches or deletes mail asks here first (D18, D19).
    """
    return instance.outbound_hold()
