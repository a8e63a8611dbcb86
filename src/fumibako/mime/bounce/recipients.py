"""Who did not get the mail, where a notice says it in prose: by the shape of the lines addresses stand in.

An address at the head of a line with a colon, or under a label such as `Recipient:`, is surer than one alone in a line,
and that is surer than one in the middle of a sentence. Only the surest kind a notice offers is taken.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from fumibako.mime.bounce.report import RECIPIENTS, Found
from fumibako.mime.bounce.senders import is_system_address
from fumibako.mime.bounce.wording import ADDRESS, address_in, addresses_in

LINES: Final = 3_000
AROUND: Final = 20_000
"""Characters of what is said about all recipients that are kept beside each."""

_HEAD: Final = re.compile(
    rf"^[ \t>*•・\"'-]*<?[\"']?({ADDRESS})[\"']?>?[\"']?[ \t]*(?:\([^()\n]{{0,200}}\)[ \t]*)?(?::|"
    rf"\.\.\.|,[ \t]*\(?(?:reason|error))"
)
_ALONE: Final = re.compile(
    rf"^[ \t>*•・\"'(\[-]*(?:mailto:|smtp:)?<?({ADDRESS})>?[\"')\]]*[ "
    rf"\t]*(?:[<(\[][^<>()\n]{{3,200}}[>)\]])?[ \t]*[,;.]?[ \t]*$",
    re.I,
)
_NAMED: Final = re.compile(
    rf"^[ \t*•・-]*[^\n@<>]{{1,60}}[<(\[]{{1,2}}(?:mailto:)?({ADDRESS})[>)\]]{{1,2}}[ \t]*[,;:]?[ \t]*$", re.I
)
_LEADING: Final = re.compile(
    rf"^[ \t*•・-]*<?({ADDRESS})>?[ \t]+(?:on|was|delivery|could|not|is|-|—|\(|user|mailbox|"
    rf"unknown|failed|の|へ|宛|には)",
    re.I,
)
_LABEL: Final = re.compile(
    rf"""(?:^|[\s,\[(])(?:
      (?:failed|invalid|final|original|undeliver(?:ed|able)|intended|affected|bad|envelope)
        [ ]?(?:e-?mail[ ])?(?:recipients?|address(?:es)?|to)
     |recipients?(?:'s)?(?:[ ](?:e-?mail|mail))?(?:[ ]?address(?:es)?)?
     |target[ ]mail[ ]address|e-?mail[ ]address|address|addressee|rcpt[ ]to|mailbox|unknown[ ]user
     |could[ ]not[ ]be[ ]delivered[ ]to|undeliverable[ ]to|delivery[ ]failed[ ](?:\d+[ ]attempts)?
     |invalid[ ]final[ ]delivery[ ]userid|user|username|destinataires?|destinatari[oa]s?|empf(?:ä|ae)nger
     |宛先(?:アドレス|メールアドレス)?|あて先|送信先(?:アドレス|メールアドレス)?|送付先|受信者(?:アドレス)?|(?:宛先|送信先|届かなかった|該当)?(?:の)?メールアドレス
    )[ \t]*(?:>>|[:：=])[ \t]*(?:rfc822;[ ]?)?[<\"'\[(]{{0,2}}({ADDRESS})""",
    re.I | re.X | re.M,
)  # fmt: skip
_SAID: Final = re.compile(
    r"deliver|undeliver|unknown|fail|reach|reject|refus|sent|send|error|unable|cannot|could not|"
    r"not exist|no such|bounce|invalid|quota|full|remis|entreg|zugestellt|recapit|доставл|投递|"
    r"届|送信|配信|配送|宛|エラー|拒否|存在|不明|not found|problem|trouble|aborted",
    re.I,
)
_ASIDE: Final = re.compile(
    r"\b(?:contact|e-?mail us|reply to|please (?:send|forward|write|report)|support|assistance|"
    r"questions?|abuse|help|postmaster|webmaster|administrator|return-path|mail from|from|sender|"
    r"envelope-from|message-id|on behalf of|reporting|sent by|"
    r"original sender|reply-to|errors-to|cc|your (?:e-?mail )?address|hello|dear|"
    r"hi)\b[^@\n]{0,60}$|(?:送信者|差出人|お問い?合わせ|ご連絡|発信者|送信元)[^@\n]{0,30}$",
    re.I,
)
_SENT: Final = re.compile(r"^\s*>>>")
_HEADER: Final = re.compile(
    r"^\s*(?:from|to|cc|subject|date|sent|message-id|return-path|reply-to|sender|received|size|x-[a-z-]+)\s*:", re.I
)


@dataclass(frozen=True, slots=True)
class _Mention:
    line: int
    address: str
    surety: int
    rest: str


def failed_recipients(own: str, header: str, mine: set[str]) -> list[Found]:
    """The recipients a notice's own words tell of. `header` is X-Failed-Recipients, `mine` the addresses it went to.

    Addresses in `mine` only count where the notice plainly names them as recipients.
    """
    lines = own.split("\n")[:LINES]
    named = addresses_in(header[:60_000], RECIPIENTS)
    mentions = _mentions(lines)
    around = "\n".join(lines)[:AROUND]
    if named:
        told = _Teller(lines, around, mentions)
        return [told.about(address) for address in named]
    best = max((mention.surety for mention in mentions), default=0)
    taken = [mention for mention in mentions if mention.surety == best]
    if best <= 1:
        others = [mention for mention in taken if mention.address.lower() not in mine]
        taken = (others or taken) if best else []
    order = dict.fromkeys(mention.address for mention in taken)
    unique = {address.lower(): address for address in reversed(list(order))}
    firsts = [address for address in order if unique.get(address.lower()) == address]
    told = _Teller(lines, around, taken)
    return [told.about(address) for address in firsts[:RECIPIENTS]]


def has_listed_recipients(own: str) -> bool:
    """Whether addresses stand in lines of their own or under labels, as programs put them."""
    return any(mention.surety >= 3 for mention in _mentions(own.split("\n")[:LINES]))


def _mentions(lines: list[str]) -> list[_Mention]:
    found: list[_Mention] = []
    for number, line in enumerate(lines):
        if "@" not in line or len(line) > 20_000:
            continue
        for mention in _of_line(number, line):
            if not is_system_address(mention.address) or mention.surety >= 2:
                found.append(mention)
        if len(found) > RECIPIENTS * 4:
            break
    return found


def _of_line(number: int, line: str) -> list[_Mention]:
    labelled = [match.group(1) for match in _LABEL.finditer(line)]
    if labelled:
        return [_Mention(number, _clean(one), 4, line) for one in labelled]
    head = _HEAD.match(line)
    if head is not None and not _HEADER.match(line):
        return [_Mention(number, _clean(head.group(1)), 4, line[head.end() :])]
    for pattern in (_ALONE, _NAMED, _LEADING):
        match = pattern.match(line)
        if match is not None and not _HEADER.match(line) and not _ASIDE.search(line[: match.start(1)][-160:]):
            return [_Mention(number, _clean(match.group(1)), 3, line[match.end(1) :])]
    if _HEADER.match(line):
        return [_Mention(number, one, 0, line) for one in addresses_in(line, 20)]
    return [_Mention(number, one, _surety(line, one), line) for one in addresses_in(line, 100)]


def _surety(line: str, address: str) -> int:
    before = line.partition(address)[0]
    if _ASIDE.search(before[-160:]):
        return 0
    return 2 if _SAID.search(line) and not _SENT.match(line) else 1


def _clean(address: str) -> str:
    return address_in(address) or address


class _Teller:
    """Finds what the text says about one recipient: what follows its line, up to the next recipient."""

    def __init__(self, lines: list[str], around: str, mentions: list[_Mention]) -> None:
        self.lines = lines
        self.around = around
        self.named = sorted((mention.line, mention.address.lower()) for mention in mentions)
        self.mentions: dict[str, list[_Mention]] = {}
        for mention in mentions:
            self.mentions.setdefault(mention.address.lower(), []).append(mention)

    def about(self, address: str) -> Found:
        """The recipient with its words."""
        wanted = address.lower()
        pieces: list[str] = []
        for mention in self.mentions.get(wanted, [])[:20]:
            rest = mention.rest if mention.surety >= 3 else self.lines[mention.line]
            piece = "\n".join([rest, *self.lines[mention.line + 1 : self._end(mention.line, wanted)]])
            pieces.append(piece)
            if len(piece.strip()) > 20:
                break
        return Found(address=address, words="\n".join(pieces).strip()[:AROUND], around=self.around)

    def _end(self, line: int, wanted: str) -> int:
        """The line of the next other recipient, at most sixty lines on."""
        last = min(line + 60, len(self.lines))
        place = bisect_right(self.named, (line, "\U0010ffff"))
        following = (number for number, name in self.named[place : place + 60] if name != wanted)
        return min(next(following, last), last)
