"""提供会社から選ぶ: what providers publish about their mail servers, one TOML file each, with source and date.

A correction is a change of one file. `is_verified = false` marks values that were not yet compared with the provider's
own page; the screen says so.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    """One provider. `values` fill items by field name; limits are recipients as the provider counts them, 0 = unknown.

    `source` is what the values were really compared with on `checked_on`.
    """

    key: str
    name: str
    values: Mapping[str, Any]
    source: str
    checked_on: date
    is_verified: bool = True
    note: str = ""
    per_hour: int = 0
    per_day: int = 0
    limit_source: str = ""
    limit_checked: str = ""
    order: int = 50
    is_practice: bool = False


@functools.cache
def all_presets() -> tuple[Preset, ...]:
    """Return every preset, in the order of the screen."""
    files = [entry for entry in resources.files(__package__).iterdir() if entry.name.endswith(".toml")]
    read = [Preset(key=entry.name.removesuffix(".toml"), **tomllib.loads(entry.read_text("utf-8"))) for entry in files]
    return tuple(sorted(read, key=lambda preset: (preset.order, preset.key)))


def find(key: str) -> Preset | None:
    """Return the preset with this key."""
    return next((preset for preset in all_presets() if preset.key == key), None)
