"""Whom deliveries go to: written down once at approval, and asked when a part of a name or an address is sought.

There are far fewer of them than deliveries: an office writes to the same people again and again.
"""

from __future__ import annotations

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from .models import Addressee, BulkSend, Delivery, SentTo

MOST = 3_000
"""Addressees whose jobs are asked for. Of more, most jobs have one among their first rows."""
COLUMNS = {"name": "party_name", "address": "address"}
"""What the columns of an addressee are called in a delivery."""
NEW = (
    "INSERT INTO sending_addressee (address, name) SELECT DISTINCT address, party_name FROM sending_delivery "
    "WHERE job_id = %s ORDER BY address, party_name ON CONFLICT DO NOTHING"
)
"""From one index into another in the same order: so two jobs never wait for each other crosswise."""
OF_A_JOB = (
    "INSERT INTO sending_sentto (addressee_id, job_id) SELECT a.id, d.job_id FROM sending_delivery d "
    "JOIN sending_addressee a ON a.address = d.address AND a.name = d.party_name "
    "WHERE d.job_id = %s ON CONFLICT DO NOTHING"
)


def note_addressees(job_id: int) -> None:
    """Write down whom the rows of a job go to. Call in the transaction that laid them, after the last."""
    with connection.cursor() as cursor:
        cursor.execute(NEW, [job_id])
        cursor.execute(OF_A_JOB, [job_id])


def only_to(jobs: QuerySet[BulkSend], column: str, part: str) -> QuerySet[BulkSend]:
    """Narrow to jobs with a row, sent or excluded, to somebody with `part` in the `name` or the `address`."""
    known = Addressee.objects.filter(**{f"{column}__icontains": part}).values_list("pk", flat=True)
    found = list(known[: MOST + 1])
    if len(found) <= MOST:
        # Distinct: or PostgreSQL takes the jobs one by one and asks each for all of these.
        return jobs.filter(pk__in=SentTo.objects.filter(addressee__in=found).values("job").distinct())
    has_part = Q(**{f"{COLUMNS[column]}__icontains": part})
    return jobs.filter(Exists(Delivery.objects.filter(has_part, job=OuterRef("pk"))))
