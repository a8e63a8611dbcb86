"""Reading mails that are stored: the bytes are read in a limited child process, what it says is one transaction."""

from __future__ import annotations

from fumibako.apps.office.models import Operator

from ..models import ReceivedMail


def read_mail(mail_id: int) -> ReceivedMail:
    """Read one stored mail now. Never raises for what the mail holds: what cannot be read is 解析不能."""
    raise NotImplementedError


def read_again(operator: Operator | None, mail: ReceivedMail, charset: str = "") -> ReceivedMail:
    """読み直し from the stored bytes, with the charset a person chose ("" = as the mail says).

    Raises Refused for a charset that is not offered.
    """
    raise NotImplementedError
