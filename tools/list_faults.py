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
    "S05": "an endless answer to EHLO: cut, without taking memory",
    "S06": "an endless or unprintable line: cut, what is kept can be shown",
    "S07": "two codes in one answer: protocol error before the dot, 結果不明 after it",
    "S08": "one answer too many: the line is closed before the dot",
    "S09": "STARTTLS missing though required: not one byte of a login is sent",
    "S10": "STARTTLS refused, bad certificate, old TLS: no falling back",
    "S11": "plaintext put in front of TLS: an attack, nothing secret follows",
    "S12": "other login methods after TLS: only those after it count",
    "S13": "login refused: one try, the account stops, nobody is charged",
    "S14": "login not possible for now: tried again later, rows queued",
    "S15": "an answer that quotes the password: kept nowhere",
    "S16": "sender refused: the job pauses after three in a row",
    "S17": "some recipients refused: the others get theirs",
    "S18": "greylisting: tried again after five minutes, not before",
    "S19": "too many mails for one session: a new session, everybody once",
    "S20": "DATA refused: deferred or failed, never sent",
    "S21": "line lost at MAIL, RCPT, DATA, inside the body: sent in the end, once",
    "S22": "the server stops reading: the block's deadline ends it",
    "S23": "reset in the middle of the content: queued again",
    "S24": "421 instead of the final 250: tried again, once in the end",
    "S25": "4xx after the dot: tried again",
    "S26": "5xx after the dot: failed, with the server's words",
    "S27": "accepted, then the line is lost: 結果不明, never sent again by itself",
    "S28": "lost after the dot without being accepted: looks and counts as S27",
    "S29": "an answer just before and just after ten minutes: sent, and 結果不明",
    "S30": "an answer whose last byte never comes: 結果不明",
    "S31": "a nonsensical answer after the dot: 結果不明, the line is closed",
    "S32": "250, then the line is lost at QUIT: sent",
    "S33": "250 and 421 together: sent, the line is closed",
    "S34": "SIZE smaller than the mail: not uploaded",
    "S35": "no 8BITMIME, no SMTPUTF8: seven-bit, or held before sending",
    "S36": "long lines, bare CR and LF, NUL, a dot alone: clean on the wire",
    "S37": "a real Postfix: every mail once, its Message-ID unchanged",
    "S38": "Postfix's smtp-sink misbehaving at the dot: as the matching faults above",
    "S39": "a limit per window: never exceeded, with two workers and restarts",
    "S40": "a name with dead and silent addresses: reached in time",
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
    "D01": "no room at the k-th write: nothing is sent off the record, and it goes on by itself",
    "D03": "a sync that fails: fatal, not asked again",
    "D04": "settings that would forget commits: read back, refused",
    "D05": "no row that points to a missing or short file",
    "D06": "another writer holds the database: waited for, nobody lost",
    "D07": "an export that nobody reads on: holds up no sending",
    "D08": "a database on a network drive: refused, with the reason",
    "D09": "the database file replaced while running: the worker stops",
    "D10": "a damaged database: found at the start, sending stays off",
    "D11": "few file descriptors: work goes on, nobody lost",
    "D12": "names that collide in the share: never one over another",
    "D13": "an attachment vanished after approval: the job pauses",
    "D14": "an attachment changed after approval: the job pauses",
    "D15": "a stored file taken away by a scanner: noticed, and stored again",
    "D16": "hostile volume in logs: bounded files and lines, with several processes",
    "D17": "backups while sending: whole, and nobody waits a second",
    "D18": "a restored backup: sends nothing until released; what may have left is 結果不明",
    "D19": "a copied folder: sends, fetches and deletes nothing",
    "D20": "older tables are copied and brought up to date; newer ones are not touched",
    "D21": "key lost, wrong, or changed halfway: readable words, nothing blanked, resumed",
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
    "X36": "secrets at rest: in no database, log or backup",
    "X37": "secrets in errors: in no log and no ledger text",
    "X38": "personal data in logs: none",
    "X39": "others are let in only by a name that was given",
    "X42": "a change of keys: killed at any row, readable all the time",
    "X43": "a backup without its key: no secret can be read",
    "X48": "a folder or key that others can read: refused",
    "C01": "workers killed at random moments: nobody twice, nobody lost (300 kills with --long)",
    "C02": "killed at any system call of one send or fetch (all with --long): nothing lost, nothing twice",
    "C03": "SIGTERM after the dot: waits for the answer; twice: ends at once",
    "C04": "a worker that slept while another took over: its mark fails",
    "C05": "a pause between mark and dot: no dot is written",
    "C06": "a reader without memory: one mail, the parent lives",
    "C07": "eight workers at one database: everybody once, no locked database",
    "C08": "two workers, or killed ones: one mail per person",
    "C09": "double click, reload, back: one job",
    "C10": "two people at one draft: one job, the other is told",
    "C11": "opt-out between approval and claim: no mail",
    "C12": "pause and cancel while running: nothing is claimed afterwards",
    "C14": "one row that cannot be built: the others go on",
    "C15": "a mail that kills its reader three times: 解析不能, the others are read",
    "C16": "an old worker on the tables of a newer version: refuses, changes nothing",
    "C17": "everything killed at once: goes on with what was surely not sent",
    "C18": "PostgreSQL cuts sessions, crashes, leaves a COMMIT unanswered: nobody twice, nothing assumed",
    "T01": "a clock that jumps by hours, years, to 1970: nobody twice",
    "T02": "the clock steps back: no wait grows beyond its length",
    "T03": "a reservation at an hour that is missing or comes twice: starts once",
    "T04": "a schedule missed by long: asks instead of sending",
    "T05": "dates that no calendar has: read, sorted, no exception",
    "T06": "two clocks five minutes apart: one mail per person",
    "T07": "a certificate that is not valid yet: the words point to our own clock",
    "T08": "steps of the clock: no login lasts longer",
}
CHECKS_OF_LETTERS = ("test_inspection.py", "test_checks.py")
"""Their C01, C02 … are the checks of 点検."""
EXAMPLES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 22)

HEAD = """# Faults and where they are tested

Written by `python tools/list_faults.py` from the names of tests (`test_s27_…`) and of dialogue
files (`s27_….txt`, played whole and in pieces of 1, 2, 3 and 7 octets by `tests/protocol/test_dialogues.py`).
The letters: S sending, P receiving, C concurrency and people, D disk and database, T time, X security.
"""


NOT_HERE = {
    "S37": "Postfix alone: OpenSMTPD, Exim, chasquid and Dovecot submission are not among the programs tests install",
    "S38": "smtp-sink -W (random delays): S29 measures the same deadline exactly",
    "D01": "every write is tried in steps of five, two neighbours at a time; C02 with --long covers each one by a kill",
    "D02": "for seconds instead of an hour: what matters is the order of checks, not the time",
    "D06": "two seconds instead of sixty, against the same code and a patience of thirty",
    "D07": "throughput: measured by `bench send --reader`; tested: a reader who stops reading blocks nobody",
    "D08": "a real NFS or SMB mount needs a server; the judgement is tried with the names the kernel gives",
    "C13": "measured, not asserted: `bench freeze --people 100000` froze 100,000 people in 7.6 s and 73 MB",
    "C17": "drop_caches instead of a reboot; D04 replays power cuts",
    "C18": "no fail-over, which needs a second server; sessions cut, a crash, and COMMITs unanswered are injected",
    "T01": "the clock is handed in, not faked by libfaketime, which is not everywhere; waits go on as ever",
    "T06": "clocks handed to processes on one computer; on PostgreSQL leases go by the database's own",
}
"""What the specification wants injected in another way than the tests do, and why."""


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
    lines += [
        "",
        "## Injected in another way, or not at all",
        "",
        "| id | what is done instead, and why |",
        "|---|---|",
    ]
    lines += [f"| {fault} | {words} |" for fault, words in NOT_HERE.items()]
    lines += ["", "## Acceptance examples of the specification", "", "| example | tests |", "|---|---|"]
    lines += [f"| {number} | {_listed(files_for(f'example_{number:02d}'))} |" for number in EXAMPLES]
    return "\n".join(lines) + "\n"


def _listed(files: list[str]) -> str:
    return ", ".join(f"`{name.removeprefix('tests/')}`" for name in files) or "-"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
