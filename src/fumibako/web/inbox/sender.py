"""What about a sender deserves a second look, as values: addresses that look like others, names that hide theirs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_INVISIBLE: Final = re.compile("[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
SHOWN: Final = 80
"""Characters of a sender's name on one line."""


@dataclass(frozen=True, slots=True)
class Warning:
    """One note above the mail: the finding in a few words, and what follows from it."""

    strong: str
    words: str
    css: str = "w"
    icon: str = "triangle-alert"


_GRAVE: Final = ("n", "shield-alert")
_LIKE: Final = "よく似た別の文字を使ったアドレスかもしれません(@{})。"
ALARMS: Final = {
    "sender_name_is_an_address": Warning(
        "差出人名と実際のアドレスが違います。", "名前に書かれたアドレスからではありません。", *_GRAVE
    ),
    "several_senders": Warning(
        "差出人が複数書かれています。",
        "本当の差出人を確認できません。返信する前に、電話などで確かめてください。",
        *_GRAVE,
    ),
    "hidden_characters": Warning(
        "件名か差出人名に、見えない文字が含まれています。", "見た目と実際の文字が違うことがあります。", *_GRAVE
    ),
    "no_sender": Warning("差出人がありません。", "だれからのメールか分かりません。"),
}
"""Problems of `mime.read` that are about who wrote."""


def warnings_of(
    problems: Iterable[str], name: str, address: str, reply_to: Sequence[str] = (), namesake: str = ""
) -> list[Warning]:
    """Every warning about the sender, the gravest first. `namesake`: a person on our list with this name, not this
    address."""
    found = [ALARMS[problem] for problem in problems if problem in ALARMS]
    domain = address.rpartition("@")[2]
    shape = odd_shape(domain)
    if shape:
        found.append(Warning(shape, _LIKE.format(domain), *_GRAVE))
    if namesake:
        words = f"名簿の{namesake}さんと同じ名前ですが、登録されたアドレスではありません。本人か確かめてください。"
        found.append(Warning("差出人名と実際のアドレスが違います。", words, *_GRAVE))
    others = [one for one in reply_to if one.rpartition("@")[2].lower() not in ("", domain.lower())]
    if others and domain:
        found.append(Warning("返信先が差出人と違います。", f"返信は {others[0]} に届きます。"))
    if _INVISIBLE.search(name) and "hidden_characters" not in problems:
        found.append(ALARMS["hidden_characters"])
    return sorted(dict.fromkeys(found), key=lambda one: one.css != "n")


def odd_shape(domain: str) -> str:
    """Why a domain may be taken for another one; "" for an ordinary one."""
    if not domain:
        return ""
    if any(label.lower().startswith("xn--") for label in domain.split(".")):
        return "アドレスが特別な書き方(xn--)です。"
    scripts = {_script(char) for char in domain if char.isalpha()}
    if "latin" in scripts and scripts & {"cyrillic", "greek", "armenian", "other"}:
        return "アドレスに違う国の文字が混ざっています。"
    if scripts & {"cyrillic", "greek", "armenian"}:
        return "アドレスが英字によく似た文字で書かれています。"
    if domain.isascii() or unicodedata.normalize("NFKC", domain) == domain:
        return ""
    return "アドレスに見かけの似た文字が使われています。"


def controls_shown(text: str) -> str:
    """What hides or turns, made visible as ␣."""
    return _INVISIBLE.sub("\u2423", text)


def visible(name: str) -> str:
    """The same for a name on one line, of bearable length."""
    plain = controls_shown(name)
    return plain if len(plain) <= SHOWN else plain[:SHOWN] + "…"


def _script(char: str) -> str:
    if char.isascii():
        return "latin"
    name = unicodedata.name(char, "")
    for script in ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CJK", "HIRAGANA", "KATAKANA", "HANGUL"):
        if name.startswith(script):
            return "asian" if script in ("CJK", "HIRAGANA", "KATAKANA", "HANGUL") else script.lower()
    return "other"
