"""A notice's text in two: what the mail system says itself, and the mail it brings back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_DIVIDER: Final = re.compile(
    r"""^[ \t>*#=_-]*(?:
      (?:below|beneath|following|here|attached|included|enclosed|this|the\ following|what\ follows)
        [^\n]{0,40}\b(?:copy|original|headers?|returned)\b[^\n]{0,60}
     |(?:a\ |the\ |your\ |start\ of\ |begin\ |beginning\ of\ )?(?:copy\ of\ )?(?:the\ |your\ )?
        (?:original|unsent|returned|undelivered|bounced|rejected|received|old|failed)\ (?:\w+\ )?
        (?:message|mail|e-?mail|text|headers?)\b[^\n]{0,60}
     |(?:message|mail)\ (?:(?:headers?|text|contents?|body)(?:\ (?:follows?|below|is))?|follows)\b[^\n]{0,12}
     |(?:the\ )?(?:first\ \d+\ (?:lines|bytes)|header|headers|text|body|content)\ of\ (?:the|your)\ [^\n]{0,60}
     |(?:header|body|text)\ (?:of|from)\ the\ (?:original|returned)[^\n]{0,40}
     |(?:dump\ of|--\ original)[^\n]{0,60}
     |(?:mensaje|message|messaggio|mensagem|nachricht|urspr[^\n]{0,10}nachricht|original)
        \ (?:original\w*|d'origine|originale|nachricht|mail)[^\n]{0,60}
     |(?:en-t[êe]tes\ de\ message|intestazioni\ originali|urspr[üu]ngliche\ nachrichten
        |encabezados\ de\ mensajes?|cabe[çc]alhos?\ (?:de|da)\ mensage\w+)[^\n]{0,60}
     |(?:以下|下記|次)[^\n]{0,30}(?:元|オリジナル|お送り|送信された|送信した|返送|コピー)[^\n]{0,40}
     |(?:元の?|オリジナル)の?(?:メール|メッセージ)[^\n]{0,30}
    )[ \t]*[-=*:：.。_#]*[ \t]*$""",
    re.I | re.M | re.X,
)
# A sentence that only speaks of a copy goes on; a divider is short, or decorated, or ends in a colon.
_TRACE: Final = re.compile(
    r"^[ \t>]{0,3}(?:Received|Return-Path|X-Received|DKIM-Signature|ARC-[A-Za-z-]+|Delivered-To|"
    r"X-Google-Smtp-Source)[ \t]*:[ \t]*\S",
    re.M | re.I,
)
_FIELD: Final = re.compile(r"^[ \t]{0,3}[A-Za-z][A-Za-z0-9-]{1,60}[ \t]*:")
_MORE: Final = re.compile(
    r"^[ \t]{0,3}(?:From|To|Subject|Date|Message-ID|MIME-Version|Received|Return-Path|"
    r"Content-Type|X-[A-Za-z-]+|Sender|Reply-To|Delivered-To)[ \t]*:",
    re.I,
)
_QUOTED: Final = re.compile(r"^[ \t]*(?:>|\|)[ \t]?(?!>>|[<>]{2})", re.M)


@dataclass(frozen=True, slots=True)
class Divided:
    """`own` is what comes before the returned mail, `returned` the rest (headers first), "" when there is none."""

    own: str
    returned: str


def divide(words: str) -> Divided:
    """Cut a notice's text where the mail it returns begins."""
    places = [place for place in (_divider(words), _trace(words)) if place is not None]
    if not places:
        return Divided(words, "")
    start, end = min(places)
    return Divided(words[:start], words[end:].lstrip("\n"))


def _divider(words: str) -> tuple[int, int] | None:
    for match in _DIVIDER.finditer(words):
        line = match.group().strip()
        is_decorated = line[:2] in ("--", "==", "**", "__", "##") or line.endswith((":", "：", "--", ".", "。", "=="))
        rest = words[match.end() : match.end() + 2_000]
        if words[: match.start()].strip() and (is_decorated or len(line) < 60) and _is_original_ahead(rest, line):
            return match.start(), match.end()
    return None


def _is_original_ahead(rest: str, line: str) -> bool:
    """What comes next is a header or nothing of a notice: `Your message … could not be delivered` is not a divider."""
    lines = [one for one in rest.split("\n")[:12] if one.strip()]
    if not lines or line[:2] == "--":
        return True
    first = lines[0]
    return bool(
        _MORE.match(first)
        or _FIELD.match(first)
        or len(lines) < 4
        or not re.search(r"@|\b[45]\d\d\b", "\n".join(lines))
    )


def _trace(words: str) -> tuple[int, int] | None:
    """A header block that stands in the text without any line before it."""
    for match in _TRACE.finditer(words):
        lines = words[match.start() : match.start() + 6_000].split("\n")[:40]
        if sum(1 for line in lines if _MORE.match(line)) >= 3 and words[: match.start()].strip():
            return match.start(), match.start()
    return None


def quoted_share(text: str) -> float:
    """The share of a text's lines that quote somebody else's."""
    lines = [line for line in text.split("\n")[:400] if line.strip()]
    return sum(1 for line in lines if _QUOTED.match(line)) / len(lines) if lines else 0.0
