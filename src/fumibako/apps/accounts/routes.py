"""From a stored account to the routes that the engine travels. Practice mode never leaves this machine."""

from __future__ import annotations

from fumibako.apps.office.models import Office
from fumibako.services.routes import Mechanism, PopRoute, PopSecurity, SmtpRoute, SmtpSecurity
from fumibako.services.secret import Secret

from .models import MailAccount
from .secrets import unseal

TLS_FROM_THE_FIRST_BYTE = 995


def password_of(account: MailAccount) -> Secret:
    """Return the stored password, empty when none is stored. Raises SecretLost when it cannot be opened."""
    if account.password_sealed is None:
        return Secret()
    return unseal(account.pk, "password", bytes(account.password_sealed))


def smtp_route(account: MailAccount, office: Office, password: Secret | None = None) -> SmtpRoute:
    """Return the way out. `password` replaces the stored one (connection test of a form that is not saved yet).

    Raises SecretLost, and LocalError when the account has no SMTP server.
    """
    secret = password if password is not None else password_of(account)
    return SmtpRoute(
        host=account.smtp_host,
        port=account.smtp_port,
        security=_smtp_security(account),
        auth=_mechanism(account),
        user=account.user_id,
        password=secret,
        pinned_sha256=account.smtp_pinned_sha256,
        helo_name=_helo_name(account),
        pop_first=pop_route(account, office, secret) if account.pop_before_smtp else None,
        loopback_only=office.is_practice,
    )


def pop_route(account: MailAccount, office: Office, password: Secret | None = None) -> PopRoute:
    """Return the way in. Raises SecretLost, and LocalError when the account has no POP server."""
    return PopRoute(
        host=account.pop_host,
        port=account.pop_port,
        security=_pop_security(account),
        user=account.user_id,
        password=password if password is not None else password_of(account),
        pinned_sha256=account.pop_pinned_sha256,
        loopback_only=office.is_practice,
    )


def _smtp_security(account: MailAccount) -> SmtpSecurity:
    match account.smtp_security:
        case MailAccount.SmtpSecurity.SSL:
            return "ssl"
        case MailAccount.SmtpSecurity.STARTTLS:
            return "starttls"
        case _:
            return "none"


def _pop_security(account: MailAccount) -> PopSecurity:
    if not account.pop_tls:
        return "none"
    return "tls" if account.pop_port == TLS_FROM_THE_FIRST_BYTE else "stls"


def _mechanism(account: MailAccount) -> Mechanism:
    if not account.smtp_auth:
        return ""
    return "PLAIN" if account.smtp_auth_method == MailAccount.AuthMethod.PLAIN else "LOGIN"


def _helo_name(account: MailAccount) -> str:
    # The sender's own domain: the one name about us that is surely public, ASCII and meant for this mail.
    domain = account.from_address.rpartition("@")[2]
    return domain if domain.isascii() and "." in domain else "localhost"
