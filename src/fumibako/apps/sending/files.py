"""添付: files of send jobs in the data folder, each under its own SHA-256, durable before any row points to it."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from django.conf import settings

from fumibako.apps.sending.errors import AttachmentMissing


def keep_file(raw: bytes) -> str:
    """Store `raw` and return its SHA-256. The bytes and the name are synced to disk when this returns."""
    digest = hashlib.sha256(raw).hexdigest()
    folder: Path = settings.DATA.files
    place = folder / digest
    if place.exists() and hashlib.sha256(place.read_bytes()).hexdigest() == digest:
        return digest
    draft = folder / f".{digest}.{secrets.token_hex(4)}"
    with draft.open("xb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(place)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return digest


def read_kept_file(sha256: str, name: str) -> bytes:
    """The bytes stored under `sha256`. Raises AttachmentMissing when they are gone or no longer the same."""
    try:
        raw = (settings.DATA.files / sha256).read_bytes()
    except OSError:
        raise AttachmentMissing(name, is_changed=False) from None
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise AttachmentMissing(name, is_changed=True)
    return raw
