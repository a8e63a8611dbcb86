"""Writes docs/operations/faults.md: which fault is tested where, found by the ids in test names and dialogue files.

python tools/list_faults.py
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "operations" / "faults.md"

FAULTS = {
    "S01": "connection refused, no route, no such name: rows stay queued, nobody is charged",
    "S02": "connects, never greets: the deadline ends it",
    "S03": "greeting dribbled for ever: the deadline is absolute",
    "S04": "greeting 554, 421, garbage: trouble of the account, rows queued",
    "S09": "STARTTLS missing though required: not one byte of a login is sent",
    "S10": "STARTTLS refused, bad certificate, old TLS: no falling back",
    "S13": "login refused: one try, the account stops, nobody is charged",
    "S16": "sender refused: the job pauses after three in a row",
    "S17": "some recipients refused: the others get theirs",
    "S18": "greylisting: tried again after five minutes, not before",
    "S20": "DATA refused: deferred or failed, never sent",
    "S21": "line lost at MAIL, RCPT, DATA, inside the body: sent in the end, once",
    "S22": "the server stops reading: the block's deadline ends it",
    "S24": "421 instead of the final 250: tried again, once in the end",
    "S25": "4xx after the dot: tried again",
    "S26": "5xx after the dot: failed, with the server's words",
    "S27": "accepted, then the line is lost: 結果不明, never sent again by itself",
    "S28": "lost after the dot without being accepted: looks and counts as S27",
    "S31": "a nonsensical answer after the dot: 結果不明, the line is closed",
    "S32": "250, then the line is lost at QUIT: sent",
    "S34": "SIZE smaller than the mail: not uploaded",
    "S35": "no 8BITMIME, no SMTPUTF8: seven-bit, or held before sending",
    "S36": "long lines, bare CR and LF, NUL, a dot alone: clean on the wire",
    "P01": "IN-USE, LOGIN-DELAY, AUTH: waiting longer and longer, or for a person after one try",
    "P02": "lines of any length: byte-exact up to the cap, beyond it 取得不能, and the next mail comes",
    "P03": "a mail without end: cut at the cap or the deadline, set aside after three tries, the others come",
    "P04": "sizes in the list that are not true: nothing is allocated by them, stored as received",
    "P05": "NUL, eight bits, bare CR, dots: every byte as it was",
    "P06": "line lost at any mail: nothing lost, nothing twice",
    "P07": "line lost while deleting or at QUIT, obeyed or not: nothing lost, nothing twice, empty in the end",
    "P08": "the fetcher killed at any moment: nothing lost, nothing twice, no half file",
    "P09": "impossible lines in the list: the others are fetched, nothing is deleted",
    "P10": "no UIDL: told apart by their bytes, deleted only by the session that fetched them",
    "P11": "new UIDLs for all mails: one download, no second row",
    "P12": "a UIDL used again for another mail: fetched",
    "P13": "two mails under one UIDL: both fetched and compared",
    "P14": "one empty list: nothing forgotten, nothing fetched again",
    "P15": "numbers that come to mean other mails: noticed while fetching, before DELE and before QUIT",
    "P16": "a mail that comes between UIDL and LIST: fetched by the next run",
    "P17": "STLS missing or plaintext injected: no password is said",
    "P18": "an endless greeting or CAPA: cut",
    "P19": "more than a million mails: refused",
    "P20": "many mails and kills: batches, resumed, none lost, none twice",
    "P21": "disk full while storing: nothing deleted, goes on by itself",
    "P22": "database locked while storing: nothing deleted, tried again",
    "P23": "shared folder gone: kept in our own store, the copy follows later",
    "P24": "two processes, one account: one session at a time",
    "P30": "a server that takes no passwords: told as such, none is said",
    "D02": "a full disk: sending stops while there is room for results",
    "D03": "a sync that fails: fatal, not asked again",
    "D04": "settings that would forget commits: read back, refused",
    "D05": "no row that points to a missing or short file",
    "D08": "a database on a network drive: refused, with the reason",
    "D09": "the database file replaced while running: the worker stops",
    "D10": "a damaged database: found at the start, sending stays off",
    "D12": "names that collide in the share: never one over another",
    "D13": "an attachment vanished after approval: the job pauses",
    "D14": "an attachment changed after approval: the job pauses",
    "D20": "older tables are copied and brought up to date; newer ones are not touched",
    "X01": "hostile HTML opened in the reading pane and the answer: nothing acts, nothing is fetched",
    "X02": "the same without the sanitiser: frame and policy hold alone",
    "X03": "the same without frame and policy: the sanitiser holds alone",
    "X04": "the exact policy and headers of the mail's frame and of downloads",
    "X05": "an answer that quotes hostile HTML leaves as plain text",
    "X08": "a password never follows to another server",
    "X16": "a forged error mail: no flag changes, 未確認の不達",
    "X18": "names of attachments are text; no file leaves its folder",
    "X21": "MIME bombs: bounded time and memory, in a child that lives on",
    "X10": "what is typed as an address can never become a second command",
    "X11": "a line break never gets into a header, from whatever field it comes",
    "X12": "no end of a mail can be smuggled into a text",
    "X14": "a sender that misleads is told: several senders, a name that is an address, hidden characters",
    "X22": "page bombs: made safe in time, or shown as their words",
    "X39": "others are let in only by a name that was given",
    "X48": "a folder or key that others can read: refused",
    "C06": "a reader without memory: one mail, the parent lives",
    "C08": "two workers, or killed ones: one mail per person",
    "C09": "double click, reload, back: one job",
    "C10": "two people at one draft: one job, the other is told",
    "C11": "opt-out between approval and claim: no mail",
    "C12": "pause and cancel while running: nothing is claimed afterwards",
    "C14": "one row that cannot be built: the others go on",
    "C15": "a mail that kills its reader three times: 解析不能, the others are read",
    "T02": "the clock steps back: no wait grows beyond its length",
    "T04": "a schedule missed by long: asks instead of sending",
}
CHECKS_OF_LETTERS = ("test_inspection.py", "test_checks.py")
"""Their C01, C02 … are the checks of 点検."""
EXAMPLES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 22)

HEAD = """# Faults and where they are tested

Written by `python tools/list_faults.py` from the names of tests (`test_s27_…`) and of dialogue
files (`s27_….txt`, played whole and in pieces of 1, 2, 3 and 7 octets by `tests/protocol/test_dialogues.py`).
The letters: S sending, P receiving, C concurrency and people, D disk and database, T time, X security.
"""


def files_for(word: str) -> list[str]:
    """Test files whose tests carry the word in their names, and whether dialogues do."""
    found = []
    in_name = re.compile(rf"_{word}_", re.IGNORECASE)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if path.name in CHECKS_OF_LETTERS and word.startswith("c"):
            continue
        if in_name.search(path.read_text("utf-8")):
            found.append(path.relative_to(ROOT).as_posix())
    if any((ROOT / "tests" / "dialogues").glob(f"{word}_*.txt")):
        found.append(f"tests/dialogues/{word}_*.txt")
    return found


def page() -> str:
    """The whole page."""
    lines = [HEAD, "| id | what happens, and what must come of it | tests |", "|---|---|---|"]
    for fault, words in FAULTS.items():
        lines.append(f"| {fault} | {words} | {_listed(files_for(fault.lower()))} |")
    lines += ["", "## Acceptance examples of the specification", "", "| example | tests |", "|---|---|"]
    lines += [f"| {number} | {_listed(files_for(f'example_{number:02d}'))} |" for number in EXAMPLES]
    return "\n".join(lines) + "\n"


def _listed(files: list[str]) -> str:
    return ", ".join(f"`{name.removeprefix('tests/')}`" for name in files) or "-"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
