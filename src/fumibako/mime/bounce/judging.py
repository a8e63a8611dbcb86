"""From what was said about a recipient to what it means: codes, permanence, reason, and whether the address is dead."""

from __future__ import annotations

from fumibako.mime.bounce.dialogue import answers_in, best_status, code_in, command_in
from fumibako.mime.bounce.reasons import is_hard, reason_of
from fumibako.mime.bounce.report import TEXT_CHARACTERS, Failure, Found
from fumibako.mime.bounce.wording import printable


def judged(found: Found) -> Failure:
    """The failure behind what was found."""
    # What was said about all may be about another one: it only counts where nothing was said about this one.
    around = "" if found.is_one_of_several and found.words.strip() else found.around
    status = found.status or best_status(found.words) or best_status(around)
    code = found.code or code_in(found.words) or code_in(around)
    command = found.command or command_in(found.words) or _command_of_answer(found) or command_in(around)
    found.status, found.code = status, code
    _prefer_the_others_words(found)
    permanent = _permanent(found)
    reason = reason_of(found, command) if found.action in ("failed", "delayed") else "undefined"
    text = printable(found.words or found.around, TEXT_CHARACTERS)
    hard = is_hard(reason, permanent)
    return Failure(found.address, found.action, permanent, hard, reason, found.status, found.code, text)


def _command_of_answer(found: Found) -> str:
    """The command before the answer in a transcript, when the report quotes that answer or there is only one."""
    answers = answers_in(found.around)
    beginning = found.words[:30].strip().lower()
    quoted = [command for command, answer in answers if beginning and answer.lower().startswith(beginning)]
    return quoted[0] if quoted else (answers[0][0] if len(answers) == 1 else "")


def _prefer_the_others_words(found: Found) -> None:
    """Where the reporting system only knows "some protocol error", but the other one said 4.x.x: that counts."""
    if found.status not in ("5.0.0", "5.5.0"):
        return
    answers = [answer for _, answer in answers_in(found.around) if best_status(answer)]
    if answers and all(best_status(answer).startswith("4.") for answer in answers):
        found.status = best_status(answers[-1])
        found.code = code_in(answers[-1]) or found.code


def _permanent(found: Found) -> bool | None:
    """By the status first, then the code, then the words; a notice that says nothing has given up."""
    if found.status[:1] in ("4", "5"):
        return found.status[0] == "5"
    if found.code:
        return found.code >= 500
    if found.action == "delayed":
        return False
    return not found.is_passing if found.action == "failed" else None
