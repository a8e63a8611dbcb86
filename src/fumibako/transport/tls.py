"""TLS as this project uses it: 1.2 or newer, certificates checked by default, and a plain word for what went wrong."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import NameOID

from fumibako.delivery.outcome import Stage
from fumibako.protocol.errors import RemoteError


class TlsFlaw(StrEnum):
    """Why TLS could not be had."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    NAME_MISMATCH = "name_mismatch"
    SELF_SIGNED = "self_signed"
    UNKNOWN_ISSUER = "unknown_issuer"
    PIN_MISMATCH = "pin_mismatch"
    """Not the one certificate this account trusts."""
    TOO_OLD = "too_old"
    """Nothing newer than TLS 1.1."""
    NOT_TLS = "not_tls"
    """The peer answered in plaintext."""
    OTHER = "other"


class TlsFailed(RemoteError):
    """No TLS that may be trusted; nothing was said over it."""

    def __init__(self, flaw: TlsFlaw, detail: str = "") -> None:
        super().__init__(detail, stage=Stage.TLS)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class TlsTerms:
    """What the certificate must come to.

    `pinned_sha256` (hex, colons allowed) trusts exactly that certificate, whatever its name, issuer and dates.
    `is_checked=False` is for a look at the certificate only: nothing secret may follow.
    """

    host: str
    pinned_sha256: str = ""
    is_checked: bool = True


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says about itself. `sha256` is lower-case hex without colons; times are UTC."""

    names: tuple[str, ...]
    issuer: str
    sha256: str
    not_before_at: datetime
    not_after_at: datetime
    is_self_signed: bool


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """The TLS in use. `version` is as the library names it ("TLSv1.3")."""

    version: str
    certificate: CertificateFacts | None


_FLAW_OF_VERIFY_CODE = {
    9: TlsFlaw.NOT_YET_VALID,
    10: TlsFlaw.EXPIRED,
    18: TlsFlaw.SELF_SIGNED,
    19: TlsFlaw.UNKNOWN_ISSUER,
    20: TlsFlaw.UNKNOWN_ISSUER,
    21: TlsFlaw.UNKNOWN_ISSUER,
    62: TlsFlaw.NAME_MISMATCH,
    64: TlsFlaw.NAME_MISMATCH,
}
"""OpenSSL's X509_V_ERR_* numbers."""

_TOO_OLD = ("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "VERSION_TOO_LOW")
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "UNKNOWN_PROTOCOL",
    "HTTP_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
)


def context_of(terms: TlsTerms) -> ssl.SSLContext:
    """Return the settings for `terms`; a pinned certificate is compared after the handshake instead."""
    return _context(is_checked=terms.is_checked and not terms.pinned_sha256)


@lru_cache(maxsize=2)
def _context(*, is_checked: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if is_checked:
        context.load_default_certs()
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def require_pin(raw: bytes | None, terms: TlsTerms) -> None:
    """Raise TlsFailed unless the certificate `raw` (DER) is the pinned one. No pin, no demand."""
    wanted = terms.pinned_sha256.replace(":", "").strip().lower()
    if wanted and not hmac.compare_digest(hashlib.sha256(raw or b"").hexdigest().encode(), wanted.encode()):
        raise TlsFailed(TlsFlaw.PIN_MISMATCH, "not the pinned certificate")


def failure_of(error: ssl.SSLError) -> TlsFailed:
    """Name what the library found."""
    if isinstance(error, ssl.SSLCertVerificationError):
        flaw = _FLAW_OF_VERIFY_CODE.get(error.verify_code, TlsFlaw.OTHER)
        return TlsFailed(flaw, error.verify_message)
    reason = error.reason or ""
    if any(word in reason for word in _TOO_OLD):
        return TlsFailed(TlsFlaw.TOO_OLD, reason)
    if any(word in reason for word in _NOT_TLS):
        return TlsFailed(TlsFlaw.NOT_TLS, reason)
    return TlsFailed(TlsFlaw.OTHER, reason or type(error).__name__)


def facts_of(raw: bytes | None) -> CertificateFacts | None:
    """Read a certificate (DER). One that cannot be read has no facts."""
    if not raw:
        return None
    try:
        certificate = x509.load_der_x509_certificate(raw)
        return CertificateFacts(
            names=_names_of(certificate),
            issuer=certificate.issuer.rfc4514_string()[:200],
            sha256=hashlib.sha256(raw).hexdigest(),
            not_before_at=certificate.not_valid_before_utc,
            not_after_at=certificate.not_valid_after_utc,
            is_self_signed=certificate.issuer == certificate.subject,
        )
    except ValueError:
        return None


def _names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = [attribute.value for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        return tuple(str(name) for name in names)
    dns = extension.get_values_for_type(x509.DNSName)
    return (*dns, *(str(address) for address in extension.get_values_for_type(x509.IPAddress)))
