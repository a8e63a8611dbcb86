"""One pass over every mail of a draft, each really built: what it tells about people (C03), characters (C05) and sizes
(C19), and which mails are worth a look. Keeps counts and a few names, never the mails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from fumibako.apps.sending.build import Built
from fumibako.apps.sending.inspection import labels
from fumibako.apps.sending.inspection.finding import Finding, Fix, People, PersonRef, fingerprint
from fumibako.letters.checks import gaps
from fumibako.mime.encodings import LABELS, Charset

BIG_MAIL_OCTETS = 8 * 1024 * 1024
BIG_JOB_OCTETS = 2 * 1024 * 1024 * 1024
CHARACTERS_SHOWN = 30

TYPING_ERRORS = {
    "gmial.com": "gmail.com",
    "gmai.com": "gmail.com",
    "gamil.com": "gmail.com",
    "gmeil.com": "gmail.com",
    "gmail.co.jp": "gmail.com",
    "gmail.con": "gmail.com",
    "gmail.cm": "gmail.com",
    "gmail.co": "gmail.com",
    "gmail.jp": "gmail.com",
    "docomo.co.jp": "docomo.ne.jp",
    "docomo.ne.jo": "docomo.ne.jp",
    "docomo.jp": "docomo.ne.jp",
    "docom.ne.jp": "docomo.ne.jp",
    "ezwb.ne.jp": "ezweb.ne.jp",
    "ezweb.co.jp": "ezweb.ne.jp",
    "softbank.co.jp": "softbank.ne.jp",
    "i.softbank.ne.jp": "i.softbank.jp",
    "yaho.co.jp": "yahoo.co.jp",
    "yahoo.ne.jp": "yahoo.co.jp",
    "yahoo.co.jo": "yahoo.co.jp",
    "hotmai.com": "hotmail.com",
    "hotmial.com": "hotmail.com",
    "outlok.jp": "outlook.jp",
    "iclould.com": "icloud.com",
    "icloud.co.jp": "icloud.com",
    "icloud.jp": "icloud.com",
}
"""Domains that are nearly always a slip of the finger, and what was meant (C06)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A mail worth looking at. `why`: first, kind, empty, long_name, fallback, lifted."""

    address_id: int
    recipient_id: int
    kind: str
    name: str
    why: str


@dataclass(slots=True)
class _Gap:
    people: People = field(default_factory=People)
    honorific: str = ""


class Survey:
    """Takes in the built mails one by one."""

    def __init__(self, charset: Charset) -> None:
        self._charset = charset
        self._gaps: dict[str, _Gap] = {}
        self._fallen_back = People()
        self._characters: Counter[str] = Counter()
        self._unbuilt: dict[str, People] = {}
        self._slips: dict[str, People] = {}
        self._biggest = 0
        self._octets = 0
        self._samples: dict[str, Sample] = {}
        self._longest = 0

    def take(self, built: Built) -> None:
        """Look at one mail."""
        if built.refusal is not None:
            kind = f"{built.refusal.kind}:{built.refusal.field}"
            self._unbuilt.setdefault(kind, People()).add(_person(built))
        if built.composed is None or built.rendered is None:
            return
        self._octets += built.composed.size
        self._biggest = max(self._biggest, built.composed.size)
        self._look_at_domain(built)
        if built.rendered.empty_fields:
            self._look_at_gaps(built)
        if built.composed.charset != self._charset:
            self._fallen_back.add(_person(built))
            self._characters.update({one.char for one in built.composed.misfits})
            self._sample("fallback", built)
        self._sample("first", built)
        self._sample(f"kind:{built.row.party_kind}", built)
        if built.judged.lifts_do_not_send:
            self._sample("lifted", built)
        if len(built.row.party_name) > self._longest:
            self._longest = len(built.row.party_name)
            self._samples.pop("long_name", None)
            self._sample("long_name", built)

    def _look_at_domain(self, built: Built) -> None:
        domain = built.row.wire_address.rpartition("@")[2].lower()
        if domain in TYPING_ERRORS:
            self._slips.setdefault(domain, People()).add(_person(built, built.row.address))

    def _look_at_gaps(self, built: Built) -> None:
        assert built.rendered is not None
        self._sample("empty", built)
        honorifics = {one.data["field"]: one.data["honorific"] for one in gaps(built.rendered)}
        for name in built.rendered.empty_fields:
            gap = self._gaps.setdefault(name, _Gap())
            gap.people.add(_person(built))
            gap.honorific = gap.honorific or honorifics.get(name, "")

    def _sample(self, why: str, built: Built) -> None:
        if why not in self._samples and built.row.party_address_id is not None:
            row = built.row
            self._samples[why] = Sample(
                row.party_address_id or 0, row.recipient_id or 0, row.party_kind, row.party_name, why.partition(":")[0]
            )

    def samples(self) -> tuple[Sample, ...]:
        """The mails worth a look, each address once, the most suspicious reason first."""
        order = ("empty", "fallback", "lifted", "kind", "long_name", "first")
        chosen: dict[int, Sample] = {}
        for sample in sorted(self._samples.values(), key=lambda one: order.index(one.why)):
            chosen.setdefault(sample.address_id, sample)
        return tuple(chosen.values())

    def findings(self) -> Iterator[Finding]:
        """Everything to say about the mails as built."""
        for kind, people in self._unbuilt.items():
            yield _about(people, f"C01:{kind}", "C01", "stop", *labels.unbuilt(kind, people.count))
        for name, gap in self._gaps.items():
            texts = labels.empty_field(name, gap.people.count, gap.honorific)
            yield _about(gap.people, f"C03:{name}", "C03", "confirm", *texts)
        for domain, people in self._slips.items():
            meant = TYPING_ERRORS[domain]
            texts = labels.typing_error(domain, meant, people.count)
            fix = Fix("domain", meant, labels.fix_domain(meant))
            yield _about(people, f"C06:{domain}", "C06", "confirm", *texts, fix=fix)
        if self._fallen_back.count:
            characters = [char for char, _ in self._characters.most_common(CHARACTERS_SHOWN)]
            texts = labels.fallen_back(LABELS[self._charset], characters, self._fallen_back.count)
            yield _about(self._fallen_back, "C05", "C05", "info", *texts)
        yield from self._sizes()

    def _sizes(self) -> Iterator[Finding]:
        if self._biggest > BIG_MAIL_OCTETS or self._octets > BIG_JOB_OCTETS:
            title, detail = labels.big_mail(self._biggest, self._octets)
            facts = fingerprint("C19", self._biggest >> 20, self._octets >> 30)
            yield Finding("C19", "C19", "confirm", title, detail, link="letter", fingerprint=facts)


def _about(people: People, key: str, id: str, weight: str, title: str, detail: str, fix: Fix | None = None) -> Finding:
    return Finding(
        key,
        id,
        weight,  # type: ignore[arg-type]
        title,
        detail,
        people=tuple(people.shown),
        people_count=people.count,
        link="recipients",
        fix=fix,
        fingerprint=fingerprint(key, people.digest),
    )


def _person(built: Built, note: str = "") -> PersonRef:
    row = built.row
    return PersonRef(row.recipient_id or 0, row.party_kind, row.party_number, row.party_name, note)
