"""Smaller mail servers with a wording of their own: DragonFly, OpenSMTPD, hMailServer, Apache James, Zoho, mail.ru …"""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words

DIALECT: Final = Dialect(
    name="servers",
    marks=words(
        r"^This is the DragonFly Mail Agent ",
        r"^\s*This is the MAILER-DAEMON, please DO NOT REPLY to this e-?mail",
        r"^hMailServer sent:|^\s*hMailServer\s*$",
        r"^Message from (?:the )?(?:Apache )?James|^Content Inspection|This is the Apache James",
        r"^Hello, this is the mail server on ",
        r"^We had trouble delivering your message\. Full details follow:",
        r"^This is an automatically generated Delivery Status Notification",
        r"ERROR_CODE\s?:\d{3}",
        r"^Это письмо (?:создано|отправлено) (?:автоматически|почтовым) сервером",
        r"^--- Non-Delivery Report ---",
        r"^Undeliverable Address:",
        r"^## +automatic bounce notification",
    ),
    headers=(
        header(
            "From",
            r"mailer-daemon@(?:[\w.-]+\.)?(?:zoho\.(?:com|eu|jp)|mail\.ru|yandex\.(?:ru|com)|gmx\.(?:com|net|de)|kundenserver\.de|sina\.com)",
        ),
    ),
)
