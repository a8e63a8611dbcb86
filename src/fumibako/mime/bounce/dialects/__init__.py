"""The dialects of error mails, one module for each mail system, in the order they are tried."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects import (
    amazon_ses,
    aol,
    au,
    courier,
    docomo,
    domino,
    exchange,
    exim,
    fml,
    gateways,
    gmail,
    imail,
    japanese_providers,
    m_filter,
    messaging_server,
    postfix,
    qmail,
    sendgrid,
    sendmail,
    servers,
    softbank,
    trend_micro,
    verizon,
    yahoo,
)
from fumibako.mime.bounce.dialects.dialect import Dialect

# Who is known by name comes before who is known by wording only: sendmail's and Exim's wording is borrowed most.
DIALECTS: Final[tuple[Dialect, ...]] = (
    amazon_ses.DIALECT,
    gmail.DIALECT,
    aol.DIALECT,
    yahoo.DIALECT,
    sendgrid.DIALECT,
    docomo.DIALECT,
    softbank.DIALECT,
    au.DIALECT,
    m_filter.DIALECT,
    trend_micro.DIALECT,
    verizon.DIALECT,
    fml.DIALECT,
    imail.DIALECT,
    messaging_server.DIALECT,
    exchange.DIALECT,
    domino.DIALECT,
    courier.DIALECT,
    postfix.DIALECT,
    qmail.DIALECT,
    sendmail.DIALECT,
    exim.DIALECT,
    gateways.DIALECT,
    servers.DIALECT,
    japanese_providers.DIALECT,
)
