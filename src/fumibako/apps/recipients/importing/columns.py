"""Which column of a file is which of our items."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence

from ..fields import FIELDS, NAME_FIELD, Field
from ..models import ImportDraft


def importable(kind: str) -> list[Field]:
    """The items a column may stand for, in the order of the record, 氏名 as one column included."""
    items = [item for item in FIELDS[kind] if item.is_imported]
    place = next(index for index, item in enumerate(items) if item.key == "family_name")
    return [*items[:place], NAME_FIELD, *items[place:]]


def guess(kind: str, headings: Sequence[str]) -> list[str]:
    """One item key per heading, "" where none fits; no item twice. Exact names win over other names for an item."""
    columns = [""] * len(headings)
    for is_exact in (True, False):
        for item in importable(kind):
            if item.key in columns:
                continue
            wanted = {_plain(name) for name in ((item.label,) if is_exact else (item.key, *item.aliases))}
            for place, heading in enumerate(headings):
                if not columns[place] and _plain(heading) in wanted:
                    columns[place] = item.key
                    break
    return columns


def _plain(heading: str) -> str:
    text = unicodedata.normalize("NFKC", heading).lower()
    return re.sub(r"[\s・*※:()\[\]]|必須|任意", "", text)


def shape_of(kind: str, headings: Sequence[str]) -> str:
    """A fingerprint of a file's headings, by which a mapping is remembered."""
    return hashlib.sha256(json.dumps([kind, *headings]).encode()).hexdigest()


def remembered(kind: str, headings: Sequence[str]) -> list[str] | None:
    """The mapping with which a file of the same headings was last taken in."""
    shape = shape_of(kind, headings)
    last = ImportDraft.objects.filter(kind=kind, run__isnull=False, reading__shape=shape).order_by("-at").first()
    return list(last.columns) if last is not None and last.columns else None
