"""One session of an account, and the mails on it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from fumibako.services.mailer import Carrier

from .loads import Load


@dataclass(slots=True, eq=False)
class Berth:
    """One session, and the mails on it in the order in which they were said: at most two."""

    carrier: Carrier
    loads: deque[Load] = field(default_factory=deque)
    answered_at: float = 0.0

    @property
    def is_before_dot(self) -> bool:
        """Only the durable mark is missing."""
        return self.carrier.is_before_dot

    @property
    def is_idle(self) -> bool:
        """A mail may begin."""
        return not self.loads and self.carrier.is_free

    @property
    def is_under_way(self) -> bool:
        """A mail is on its way to its mark: its line will need a transaction soon."""
        return bool(self.loads) and not self.carrier.is_before_dot and not self.carrier.is_after_dot

    def came_aboard(self, load: Load, now: float) -> None:
        """The carrier has begun with a mail."""
        load.place = self.carrier.mail_count - 1
        load.began_at = now
        self.loads.append(load)
