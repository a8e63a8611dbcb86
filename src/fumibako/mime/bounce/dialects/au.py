"""au (KDDI): ezweb.ne.jp, au.com and the fixed-line mail of au one net (dion.ne.jp, auone-net.jp)."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words

DIALECT: Final = Dialect(
    name="au",
    marks=words(
        r"au one netのメールシステム",
        r"^\s*Could not be delivered to: <[^>\n]{3,200}>",
        r"次のあて先へのメッセージはエラーのため送信できませんでした",
        r"^Each of the following recipients was rejected by a remote\s+mail server",
    ),
    is_proof=True,
    headers=(
        header(
            "From", r"(?:postmaster|mailer-daemon)@(?:[\w.-]+\.)?(?:ezweb\.ne\.jp|au\.com|auone-net\.jp|dion\.ne\.jp)"
        ),
    ),
)
