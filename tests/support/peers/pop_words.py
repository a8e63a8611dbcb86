"""What a POP3 dialogue does after the login, and what came of it, in words.

`do:` names the steps in order, separated by semicolons: `capa`, `list`, `fetch 1 2`, `top 1`, `check 1`, `delete 1 2`,
`reset`, `quit`. `window:` is how many questions are under way, `cap:` the largest mail in bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from fumibako.protocol.pop3.blocks import LongReply
from fumibako.protocol.pop3.mailbox import (
    Question,
    ask_all,
    ask_capabilities,
    delete_all,
    list_mailbox,
    quit_with_update,
    take_back,
)
from fumibako.protocol.transcript import Transcript
from fumibako.transport.converse import Wire, converse


def pop_words(settings: dict[str, str], wire: Wire, transcript: Transcript) -> Iterator[str]:
    """Do what the dialogue says and yield the words for it."""
    window, cap = int(settings.get("window", "1")), int(settings.get("cap", "1000"))
    for step in settings.get("do", "").split(";"):
        verb, *rest = step.split() or [""]
        numbers = [int(word) for word in rest]
        match verb:
            case "capa":
                server = converse(ask_capabilities(), wire, transcript=transcript)
                yield "pipelining" if server.has_pipelining else "one-by-one"
            case "list":
                uids, sizes = converse(list_mailbox(5, has_pipelining=window > 1), wire, transcript=transcript)
                yield "too-long" if uids.is_too_long else f"{len(uids.entries)}-uids"
                yield f"{len(uids.faults)}-faults"
                yield f"{len(sizes.entries)}-sizes" if sizes is not None else "no-sizes"
            case "fetch" | "top" | "check":
                yield from _asked(verb, numbers, window, cap, wire, transcript)
            case "delete":
                yield f"deleted-{len(converse(delete_all(numbers, window=window), wire, transcript=transcript))}"
            case "reset":
                yield "taken-back" if converse(take_back(), wire, transcript=transcript) else "not-taken-back"
            case "quit":
                yield "updated" if converse(quit_with_update(), wire, transcript=transcript) else "not-updated"


def _asked(verb: str, numbers: list[int], window: int, cap: int, wire: Wire, transcript: Transcript) -> Iterator[str]:
    lines = 2 if verb == "top" else None
    questions = [Question(number, is_check=verb == "check", top_lines=lines) for number in numbers]
    words: list[str] = []
    conversation = ask_all(questions, lambda asked, reply: words.append(_word(asked, reply)), window=window, cap=cap)
    try:
        converse(conversation, wire, transcript=transcript)
    finally:
        yield from words


def _word(question: Question, reply: LongReply) -> str:
    if reply.is_too_big:
        return f"{question.number}=big"
    if question.is_check:
        return f"{question.number}={reply.words.decode('ascii').replace(' ', ',')}"
    return f"{question.number}={len(reply.raw)}" if reply.is_positive else f"{question.number}=no"
