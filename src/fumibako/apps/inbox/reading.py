"""What follows when a mail was read: other apps add themselves here, and run inside the reading's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .models import ReceivedMail

Follower = Callable[[Sequence[ReceivedMail]], None]

after_reading: list[Follower] = []
"""Called with a batch of mails, in which each says who fetched it; once for each reading, and must be idempotent."""
