"""The rows of a job on their way into the ledger: handed on in portions, never held as a whole."""

from __future__ import annotations

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
        self._failed: dict[int | None, int] = {}
        if job.resend_of_id is not None:
            failed = Delivery.objects.filter(job_id=job.resend_of_id, state__in=REPEATABLE, party_address__isnull=False)
            self._failed = dict(failed.values_list("party_address_id", "pk"))

    def take(self, row: Delivery) -> None:
        """One more row."""
        row.previous_id = self._failed.get(row.party_address_id)
        self._rows.append(row)
        self.count += 1
        if len(self._rows) >= ROWS_IN_HAND:
            self.lay()

    def lay(self) -> None:
        """Write what is in hand."""
        self._write(self._rows)
        self._rows = []
