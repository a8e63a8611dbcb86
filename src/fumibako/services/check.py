"""The connection test: goes the way a mail would go, as far as the login, and tells what it saw at each stage."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from fumibako.delivery.outcome import Stage
from fumibako.protocol.patience import Patience
from fumibako.protocol.pop3.session import quit_pop
from fumibako.protocol.smtp.session import quit_session
from fumibako.protocol.transcript import Transcript
from fumibako.services.opening import Opening, Surroundings, pop_opening, smtp_opening
from fumibako.services.routes import PopRoute, SmtpRoute
from fumibako.services.trouble import Trouble
from fumibako.transport.converse import converse
from fumibako.transport.tls import CertificateFacts

__all__ = ["CertificateFacts", "CheckReport", "StageResult", "check_pop", "check_smtp"]

TOTAL_SECONDS = 12.0
"""A second look at a failure may add three."""
CHECK_PATIENCE = Patience(
    name=4, address=5, connect=6, tls=5, greeting=7, command=6, login=8, data=1, block=2, body=4, farewell=0.5
)


@dataclass(frozen=True, slots=True)
class StageResult:
    """How one stage went. `detail` is the server's or the system's own words, "" when it went well."""

    stage: Stage
    is_ok: bool
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a connection test saw. `trouble` is None when every stage went well.

    `transcript` is the conversation without secrets, for the provider's support; it and `greeting` tell more about the
    server than a page needs, so they stay out of `repr`. `message_count` is POP3's.
    """

    stages: tuple[StageResult, ...]
    trouble: Trouble | None = None
    tls_version: str = ""
    certificate: CertificateFacts | None = None
    mechanisms: tuple[str, ...] = ()
    size_limit: int = 0
    message_count: int | None = None
    greeting: str = field(default="", repr=False)
    transcript: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_ok(self) -> bool:
        """Whether a mail could go this way."""
        return self.trouble is None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return sum(stage.seconds for stage in self.stages)


def check_smtp(route: SmtpRoute, around: Surroundings | None = None) -> CheckReport:
    """Test the way out: POP first if the account wants it, then name, connect, TLS, greeting, login. Sends no mail."""
    around = _bounded(around or Surroundings())
    pop_stages: tuple[StageResult, ...] = ()
    if route.pop_first is not None:
        pop = check_pop(route.pop_first, around)
        if pop.trouble is not None:
            return pop
        pop_stages = tuple(stage for stage in pop.stages if stage.stage is Stage.POP_LOGIN)
    transcript = Transcript()
    opening, talk = smtp_opening(replace(route, patience=_hurried(route.patience)), around, transcript)
    report = _walk(opening, around, transcript)
    if report.is_ok:
        converse(quit_session(), opening.stream)
    opening.close()
    return replace(
        report,
        stages=pop_stages + report.stages,
        mechanisms=talk.server.mechanisms,
        size_limit=talk.server.size_limit,
    )


def check_pop(route: PopRoute, around: Surroundings | None = None) -> CheckReport:
    """Test the way in: name, connect, TLS, greeting, login, STAT. Fetches and deletes nothing."""
    around = _bounded(around or Surroundings())
    transcript = Transcript()
    opening, talk = pop_opening(replace(route, patience=_hurried(route.patience)), around, transcript)
    report = _walk(opening, around, transcript)
    if report.is_ok:
        converse(quit_pop(), opening.stream)
        report = replace(report, message_count=talk.message_count)
    opening.close()
    return report


def _walk(opening: Opening, around: Surroundings, transcript: Transcript) -> CheckReport:
    stages: list[StageResult] = []
    trouble = None
    for stage, act in opening.steps():
        begun_at = around.clock()
        try:
            opening.take(stage, act)
        except Trouble as found:
            trouble = found
            stages.append(StageResult(stage, False, around.clock() - begun_at, found.text))
            break
        stages.append(StageResult(stage, True, around.clock() - begun_at))
    tls = opening.tls
    heard = [line for line in transcript.lines if line.startswith("S: ")]
    return CheckReport(
        stages=tuple(stages),
        trouble=trouble,
        tls_version=tls.version if tls else "",
        certificate=tls.certificate if tls else None,
        greeting=heard[0].removeprefix("S: ") if heard else "",
        transcript=tuple(transcript.lines),
    )


def _bounded(around: Surroundings) -> Surroundings:
    if around.give_up_at < math.inf:
        return around
    return replace(around, give_up_at=around.clock() + TOTAL_SECONDS)


def _hurried(patience: Patience) -> Patience:
    names = Patience.__slots__
    return Patience(**{name: min(getattr(patience, name), getattr(CHECK_PATIENCE, name)) for name in names})
