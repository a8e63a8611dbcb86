"""Facts about the office. Never writes, but for the one settings row that must exist."""

from __future__ import annotations

from . import instance
from .models import Office, Operator

SAMPLE_OPERATOR = "sample-desk"
"""利用者ID of who keeps the sample office's open work until the first administrator takes it over."""


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


def stand_in() -> Operator | None:
    """Whose open work goes to the first administrator; None outside the sample office."""
    return Operator.objects.filter(username=SAMPLE_OPERATOR, is_active=False).first()
