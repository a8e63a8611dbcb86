"""The practice mail server: SMTP and POP3 on this computer only, with people who accept, refuse, answer and bounce.

Nothing here reaches the outside, and nothing here is part of the engine: it is the other side of the conversation.
"""

from fumibako.practice.people import Delays
from fumibako.practice.server import PracticeAddresses, PracticeServer

__all__ = ["Delays", "PracticeAddresses", "PracticeServer"]
