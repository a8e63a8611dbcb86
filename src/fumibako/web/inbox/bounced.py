"""What an error mail means, in a sentence above it and on エラーメール."""

from __future__ import annotations

from fumibako.apps.inbox import labels
from fumibako.apps.inbox.bounce_words import explanation
from fumibako.apps.inbox.models import BounceReport, ReceivedMail

from .sender import Warning

SHOWN = 3
OPEN_EFFECTS = (BounceReport.Effect.UNMATCHED, BounceReport.Effect.UNVERIFIED)


def bounce_lines(mail: ReceivedMail) -> list[Warning]:
    """One note for each of the first failed addresses; nothing for other mails."""
    if mail.kind != ReceivedMail.Kind.BOUNCE:
        return []
    return [bounce_line(report) for report in mail.bounces.all()[:SHOWN]]


def bounce_line(report: BounceReport) -> Warning:
    """Why this address failed, and what came of it."""
    reason = explanation(report.reason)[0]
    effect = labels.EFFECTS[BounceReport.Effect(report.effect)]
    settled = report.settled_at is not None and report.effect in OPEN_EFFECTS
    words = "確認済みです。" if settled else f"{effect}。"
    return Warning(f"{report.address or 'アドレス不明'}:{reason}", words)
