"""The rows of a job on their way into the ledger: handed on in portions, never held as a whole."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable

from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.delivery.states import State

REPEATABLE = (State.FAILED, State.BOUNCED)
"""What 失敗分を再送 takes: never an unknown result, never what may still be on its way."""
ROWS_IN_HAND = 500


class Laid:
    """Hands rows on in portions; `count` is how many there were.

    They are written while the mails are still being looked at: one transaction, which a refusal takes back as a whole.
    """

    def __init__(self, job: BulkSend, write: Callable[[list[Delivery]], None]) -> None:
        self.count = 0
        self._write = write
        self._rows: list[Delivery] = []
        self._failed = _Failed(job.resend_of_id) if job.resend_of_id is not None else None

    def take(self, row: Delivery) -> None:
        """One more row."""
        if self._failed is not None and row.party_address_id is not None:
            row.previous_id = self._failed.row_of(row.party_address_id)
        self._rows.append(row)
        self.count += 1
        if len(self._rows) >= ROWS_IN_HAND:
            self.lay()

    def lay(self) -> None:
        """Write what is in hand."""
        self._write(self._rows)
        self._rows = []


class _Failed:
    """Which row of a job failed for an address: two columns of numbers, 16 octets a row."""

    def __init__(self, job_id: int) -> None:
        failed = Delivery.objects.filter(job_id=job_id, state__in=REPEATABLE, party_address__isnull=False)
        rows = failed.order_by("party_address_id", "seq").values_list("party_address_id", "pk")
        self._addresses, self._rows = array("q"), array("q")
        for address_id, row_id in rows.iterator(chunk_size=ROWS_IN_HAND):
            self._addresses.append(address_id or 0)
            self._rows.append(row_id)

    def row_of(self, address_id: int) -> int | None:
        """The row that a mail to this address repeats."""
        place = bisect_right(self._addresses, address_id)
        return self._rows[place - 1] if place and self._addresses[place - 1] == address_id else None
