"""SoftBank and Y!mobile phones: notices of their own servers."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header

DIALECT: Final = Dialect(
    name="softbank",
    headers=(
        header(
            "From",
            r"(?:postmaster|mailer-daemon|system)@(?:[\w.-]+\.)?(?:softbank\.(?:ne\.)?jp|vodafone\.ne\.jp|disney\.ne\.jp|ymobile\.ne\.jp|y-mobile\.ne\.jp|willcom\.com|pdx\.ne\.jp)",
        ),
    ),
)
