"""What follows when a mail was read: other apps add themselves here, and run inside the reading's transaction."""

from __future__ import annotations

from collections.abc import Callable

from fumibako.apps.office.models import Operator

from .models import ReceivedMail

Follower = Callable[[ReceivedMail, Operator | None], None]

after_reading: list[Follower] = []
"""Called with the mail and who fetched it (None: the program by itself), once for each reading; must be idempotent."""
