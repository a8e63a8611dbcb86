"""Keeping mail passwords: encrypted, bound to the one row and field they belong to, the key outside the database."""

from __future__ import annotations

import os
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from fumibako.data_folder import UnsafeFolder, read_keys
from fumibako.services.secret import Secret

TABLE = "accounts_mailaccount"
FORMAT = b"\x01"
NONCE_LENGTH = 12


class SecretLost(Exception):
    """The stored bytes cannot be opened: another key file, another row, or damage. The password must be typed again."""


def seal(account_id: int, field: str, text: str) -> bytes:
    """Encrypt a secret of one account for one field of the table."""
    nonce = os.urandom(NONCE_LENGTH)
    return FORMAT + nonce + AESGCM(_derived(_ring()[0])).encrypt(nonce, text.encode(), _place(account_id, field))


def unseal(account_id: int, field: str, raw: bytes) -> Secret:
    """Return the secret again. Raises SecretLost when it was not sealed for this place with one of our keys."""
    for key in _ring():
        found = opened(key, account_id, field, raw)
        if found is not None:
            return found
    raise SecretLost


def opened(master: bytes, account_id: int, field: str, raw: bytes) -> Secret | None:
    """Return the secret when it was sealed for this place with this very key, else None."""
    if raw[:1] != FORMAT:
        return None
    nonce, sealed = raw[1 : 1 + NONCE_LENGTH], raw[1 + NONCE_LENGTH :]
    try:
        return Secret(AESGCM(_derived(master)).decrypt(nonce, sealed, _place(account_id, field)).decode())
    except (InvalidTag, ValueError):
        return None


def _place(account_id: int, field: str) -> bytes:
    return f"{TABLE}:{account_id}:{field}".encode()


def _ring() -> tuple[bytes, ...]:
    """The keys as the file holds them now: it may have changed since this process began (`keys rotate`)."""
    try:
        return read_keys(settings.DATA)
    except (OSError, UnsafeFolder):
        # Whoever looks at 動作状況 is told; what works goes on working.
        return (settings.MASTER_KEY,)


@cache
def _derived(master: bytes) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"fumibako mail passwords")
    return derive.derive(master)
