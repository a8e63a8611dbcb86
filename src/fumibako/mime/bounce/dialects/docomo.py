"""NTT docomo (sp mode, i-mode, mopera): Japanese sentences, then the recipients who did not receive the message."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words

DIALECT: Final = Dialect(
    name="docomo",
    marks=words(
        r"株式会社NTTドコモ",
        r"(?:docomo|mopera)\.(?:ne\.jp|net)のメール",
        r"下記メールアドレス宛にメールを送信することができませんでした",
    ),
    is_proof=True,
    headers=(
        header(
            "From",
            r"(?:postmaster|mailer-daemon)@(?:[\w.-]+\.)?(?:docomo\.ne\.jp|mopera\.(?:net|ne\.jp)|spmode\.ne\.jp)",
        ),
    ),
)
