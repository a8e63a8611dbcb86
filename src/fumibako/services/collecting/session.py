"""One session with one mailbox: list, fetch, delete what is surely kept, and leave with a QUIT that counts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from fumibako.delivery.outcome import Stage
from fumibako.protocol.errors import Declined, Garbage, RemoteError, TooSlow
from fumibako.protocol.pop3.blocks import ListReply, LongReply
from fumibako.protocol.pop3.mailbox import (
    PopCapabilities,
    Question,
    ask_all,
    ask_capabilities,
    delete_all,
    list_mailbox,
    quit_with_update,
    take_back,
)
from fumibako.protocol.pop3.session import quit_pop
from fumibako.protocol.steps import Conversation
from fumibako.services.collecting.fetching import CAREFUL, STRIDE, Fetching, ListChanged, TooBig, TooHeavy
from fumibako.services.collecting.listing import is_same_list, listed_of, listing_of, sizes_of
from fumibako.services.collecting.terms import Collected, Keep, Known, Listed, ListFlaw, Rule
from fumibako.services.opening import Opening, PopTalk
from fumibako.services.trouble import Trouble, TroubleKind
from fumibako.transport.converse import converse

R = TypeVar("R")
T = TypeVar("T")

MOST_MAILS = 1_000_000
CAREFUL_COUNT = 500
"""So many mails are fetched one by one after answers got out of step; then the window is tried again."""
_SPARE = 1000
"""A list may be longer than STAT said by the mails that came meanwhile."""


class Session:
    """Raises Trouble; what `known` and `keep` raise comes out unchanged."""

    def __init__(
        self, opening: Opening, talk: PopTalk, rule: Rule, known: Known, keep: Keep, collected: Collected
    ) -> None:
        self._opening = opening
        self._talk = talk
        self._rule = rule
        self._known = known
        self._keep = keep
        self._collected = collected
        self._server = PopCapabilities()

    def run(self, stride: int = STRIDE) -> int:
        """Do everything. Returns 0 when done, or the stride with which to come again at once."""
        self._opening.open()
        if self._talk.message_count > MOST_MAILS:
            self._leave()
            raise self._opening.trouble(Stage.POP_LIST, TroubleKind.POP_TOO_MANY_MAILS, str(self._talk.message_count))
        if self._talk.message_count == 0:
            self._known.note_list([])
            self._collected.listed_count = 0
            self._leave()
            return 0
        self._server = self._say(Stage.POP_LIST, ask_capabilities())
        listed = self._list()
        fetching = Fetching(self._opening.stream, self._server, self._rule, self._keep, self._collected, stride=stride)
        wanted = self._known.unknown_of(listed)
        if self._collected.listed_count is None:
            self._collected.listed_count = len(listed)
            self._collected.known_count = len(listed) - len(wanted)
        again = self._fetch(fetching, wanted[:CAREFUL_COUNT] if stride == CAREFUL else wanted, stride)
        if again:
            return again
        if stride == CAREFUL and len(wanted) > CAREFUL_COUNT:
            self._leave()
            return STRIDE
        if self._rule.delete_after_receive and not self._collected.flaws:
            self._delete([_named(mail, fetching.kept) for mail in listed], fetching.kept)
        else:
            self._leave()
        return 0

    def _list(self) -> list[Listed]:
        count = self._talk.message_count
        uids, sizes = self._ask_lists(count + _SPARE)
        if uids.is_positive:
            listed, flaws = listing_of(uids, sizes_of(sizes), count)
            self._collected.flaws |= flaws
        elif uids.response_code:
            raise self._opening.trouble_of(Declined(uids.text, stage=Stage.POP_LIST, enhanced=uids.response_code))
        else:
            self._collected.has_uidl = False
            listed = self._list_by_heads(sizes_of(sizes))
        named = [mail for mail in listed if mail.uidl]
        is_complete = len(named) == len(listed) and not self._collected.flaws
        self._known.note_list(named, is_complete=is_complete)
        return listed

    def _ask_lists(self, max_count: int) -> tuple[ListReply, ListReply | None]:
        has_pipelining = self._server.has_pipelining
        uids, sizes = self._say(Stage.POP_LIST, list_mailbox(max_count, has_pipelining=has_pipelining))
        if uids.is_too_long or (sizes is not None and sizes.is_too_long):
            raise self._opening.trouble(Stage.POP_LIST, TroubleKind.POP_TOO_MANY_MAILS, f"more than {max_count} lines")
        return uids, sizes

    def _list_by_heads(self, sizes: dict[int, int]) -> list[Listed]:
        """Without UIDL a mail is told by the hash of its head; without TOP it has no name before it is fetched."""
        numbers = range(1, self._talk.message_count + 1)
        heads: dict[int, str] = {}

        def take(question: Question, reply: LongReply) -> None:
            if reply.is_positive and not reply.is_too_big:
                heads[question.number] = f"head.{hashlib.sha256(reply.raw).hexdigest()}"

        questions = (Question(number, top_lines=0) for number in numbers)
        if self._server.has_top:
            cap = self._rule.size_cap
            self._say(Stage.POP_LIST, ask_all(questions, take, window=self._server.window, cap=cap))
        named = {number: heads.get(number, "") for number in numbers}
        return listed_of(named, sizes) if all(named.values()) else [Listed(n, "", sizes.get(n, 0)) for n in numbers]

    def _fetch(self, fetching: Fetching, wanted: Sequence[Listed], stride: int) -> int:
        try:
            fetching.fetch(fetching.choose(wanted))
        except TooBig:
            return stride
        except TooHeavy:
            return CAREFUL
        except RemoteError as error:
            is_out_of_step = isinstance(error, Garbage | ListChanged | TooSlow)
            may_go_on = self._server.has_pipelining and not self._opening.is_out_of_time
            if is_out_of_step and stride > CAREFUL and may_go_on:
                return CAREFUL
            raise self._trouble_in_fetching(error) from None
        return 0

    def _trouble_in_fetching(self, error: RemoteError) -> Trouble:
        if not isinstance(error, ListChanged):
            return self._opening.trouble_of(error)
        self._collected.flaws.add(ListFlaw.CHANGED)
        return self._opening.trouble(Stage.POP_FETCH, TroubleKind.POP_LIST_CHANGED, error.detail)

    def _delete(self, listed: Sequence[Listed], kept: Mapping[int, str]) -> None:
        """Delete by the numbers of this session, and only after the list has been seen to be the same twice more."""
        marked = [mail for mail in self._known.deletable_of(listed) if self._is_sure(mail, kept)]
        if not marked:
            self._leave()
            return
        if self._collected.has_uidl and not self._is_unchanged(listed):
            # Nothing was marked. What was fetched under these numbers is fetched again and compared.
            self._keep.leaving([mail.uidl for mail in listed if mail.number in kept])
            self._leave()
            return
        self._keep.leaving([mail.uidl for mail in marked])
        numbers = self._say(Stage.POP_DELETE, delete_all((m.number for m in marked), window=self._server.window))
        deleted = frozenset(numbers)
        if self._collected.has_uidl and not self._is_unchanged(listed, without=deleted):
            if self._say(Stage.POP_DELETE, take_back()):
                self._keep.stayed([mail.uidl for mail in marked if mail.number not in kept])
            self._leave()
            return
        self._quit([mail.uidl for mail in marked if mail.number in deleted])
        refused = [mail.uidl for mail in marked if mail.number not in deleted]
        if refused:
            self._keep.stayed(refused)

    def _is_sure(self, mail: Listed, kept: Mapping[int, str]) -> bool:
        """A uid that two mails share, or a name of our making, proves nothing about a mail of an earlier session."""
        return mail.number in kept or (self._collected.has_uidl and not mail.is_duplicate)

    def _is_unchanged(self, listed: Sequence[Listed], without: frozenset[int] = frozenset()) -> bool:
        count = self._talk.message_count + _SPARE
        uids, _ = self._say(Stage.POP_DELETE, list_mailbox(count, has_pipelining=False, with_sizes=False))
        if is_same_list(listed, uids, without):
            return True
        self._collected.flaws.add(ListFlaw.CHANGED)
        return False

    def _quit(self, uidls: Sequence[str]) -> None:
        if not self._say(Stage.POP_QUIT, quit_with_update()):
            raise self._opening.trouble(Stage.POP_QUIT, TroubleKind.POP_QUIT_REFUSED, "")
        self._keep.gone(uidls)
        self._collected.deleted_count = len(uidls)

    def _leave(self) -> None:
        converse(quit_pop(), self._opening.stream)

    def _say(self, stage: Stage, conversation: Conversation[R, T]) -> T:
        result: list[T] = []
        act: Callable[[], object] = lambda: result.append(converse(conversation, self._opening.stream))  # noqa: E731
        self._opening.take(stage, act)
        return result[0]


def _named(mail: Listed, kept: Mapping[int, str]) -> Listed:
    return mail if mail.uidl else replace(mail, uidl=kept.get(mail.number, ""))
