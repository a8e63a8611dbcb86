"""連絡NO: one above the highest ever given, and the next 枝番. Called inside a transaction."""

from __future__ import annotations

from django.db.models import Max

from .models import ContactRecord, LastNumber


def next_number() -> int:
    """Take the next number; whoever asks at the same time waits."""
    return next_numbers(1)[0]


def next_numbers(count: int) -> range:
    """Take so many numbers."""
    if not count:
        return range(0)
    LastNumber.objects.get_or_create(id=1)
    last = LastNumber.objects.select_for_update().get(id=1)
    last.value += count
    last.save()
    return range(last.value - count + 1, last.value + 1)


def next_branch(number: int) -> int:
    """One above the highest 枝番 of this number."""
    LastNumber.objects.get_or_create(id=1)
    LastNumber.objects.select_for_update().get(id=1)
    highest = ContactRecord.objects.filter(number=number).aggregate(highest=Max("branch"))["highest"]
    return 0 if highest is None else int(highest) + 1
