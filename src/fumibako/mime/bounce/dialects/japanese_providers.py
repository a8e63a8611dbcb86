"""Japanese providers (OCN, BIGLOBE, So-net, NIFTY, plala and others): a Japanese letter around the report they got.

What they got may stand in the text as it came, header and all; `recognising` reads it as the notice it is.
"""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words

_OF_PROVIDERS: Final = (
    r"(?:postmaster|mailer-daemon|mail-?er+or|info|support|no-?reply)@(?:[\w.-]+\.)?(?:ocn\.(?:ne|ad)\.jp|biglobe\.ne\.jp|so-net\.(?:ne|or)\.jp|nifty\.(?:com|ne\.jp)|plala\.or\.jp|"
    r"inacatv\.ne\.jp|tmtv\.ne\.jp|ttv\.ne\.jp|dti\.ne\.jp|asahi-net\.or\.jp|eonet\.ne\.jp|hi-ho\.ne\.jp|wakwak\.com|odn\.(?:ne|ad)\.jp|sakura\.ne\.jp|xserver\.jp|kagoya\.net|lolipop\.jp|zaq\.ne\.jp|commufa\.jp|iij(?:4u|mio)?\.(?:ad|or|ne)\.jp)"
)  # fmt: skip

DIALECT: Final = Dialect(
    name="japanese_providers",
    marks=words(
        r"^The following sentences are Japanese\.",
        r"このメールと共に返信されているメールは一つ以上の宛先に対",
        r"^\s*-{3,} The following addresses? had (?:permanent )?(?:fatal )?errors",
        r"(?:宛|宛て|宛先)(?:の|へ)(?:メール|電子メール)(?:は|が|を)[^\n]{0,40}(?:配信|送信|配送|お届け)(?:でき|出来)ませんでした",
        r"(?:配信|送信|配送)(?:でき|出来)(?:ません|なかった)[^\n]{0,40}(?:宛先|メールアドレス|理由)",
    ),
    headers=(header("From", _OF_PROVIDERS),),
)
