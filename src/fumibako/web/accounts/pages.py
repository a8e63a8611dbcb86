"""What the account page shows besides its form: state, notices, speed, and the connection test in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fumibako.apps.accounts import presets
from fumibako.apps.accounts.fields import BOUND_TO_PASSWORD
from fumibako.apps.accounts.labels import TroubleText, pop_only_refused, stage_text, trouble_text
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.rules import normalise
from fumibako.apps.sending.plan import Speed
from fumibako.delivery.outcome import Stage
from fumibako.services.check import CheckReport
from fumibako.services.trouble import TroubleKind

PINNABLE = frozenset(kind for kind in TroubleKind if kind.startswith("certificate_"))


@dataclass(frozen=True, slots=True)
class StageLine:
    """One line of the connection test."""

    words: str
    is_ok: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class TestBlock:
    """The test of one server, ready to be shown."""

    protocol: str
    heading: str
    is_ok: bool
    stages: list[StageLine]
    trouble: TroubleText | None
    reply: str
    fingerprint: str
    count: int | None

    @property
    def offers(self) -> list[tuple[str, str]]:
        """What one press can change: the words of the button, and the values as JSON."""
        offers = self.trouble.offers if self.trouble else ()
        return [(offer.words, json.dumps(dict(offer.changes))) for offer in offers]


@dataclass(frozen=True, slots=True)
class SpeedWords:
    """この設定での速さ. `better_sleep` is the スリープ間隔 that keeps the provider's limit, None when it is kept."""

    sentence: str
    warning: str
    better_sleep: int | None


def test_blocks(reports: Mapping[str, CheckReport], ports: Mapping[str, Any]) -> list[TestBlock]:
    """Put the reports of a connection test into words."""
    blocks = []
    is_smtp_fine = "smtp" in reports and reports["smtp"].is_ok
    for protocol, heading in (("smtp", "送信(SMTP)"), ("pop", "受信(POP)")):
        if protocol in reports:
            report = reports[protocol]
            words = None
            if report.trouble is not None:
                words = trouble_text(report.trouble.kind, report.trouble.extra)
                if report.trouble.kind is TroubleKind.POP_LOGIN_REFUSED and is_smtp_fine:
                    words = pop_only_refused()
            blocks.append(
                TestBlock(
                    protocol,
                    heading,
                    report.is_ok,
                    [
                        _line(stage.stage, stage.is_ok, stage.seconds, report, ports[protocol])
                        for stage in report.stages
                    ],
                    words,
                    _reply(report),
                    _fingerprint(report),
                    report.message_count,
                )
            )
    return blocks


def _line(stage: Stage, is_ok: bool, seconds: float, report: CheckReport, port: Any) -> StageLine:
    words = stage_text(stage)
    if stage is Stage.CONNECT:
        words = f"{words}({port}番)"
    elif stage is Stage.TLS and report.tls_version:
        words = f"{words}({report.tls_version.replace('v', ' ')})"
    return StageLine(words, is_ok, seconds)


def _reply(report: CheckReport) -> str:
    trouble = report.trouble
    if trouble is None:
        return ""
    return f"{trouble.code} {trouble.text}" if trouble.code else trouble.text


def _fingerprint(report: CheckReport) -> str:
    if report.trouble is None or report.trouble.kind not in PINNABLE:
        return ""
    return str(report.trouble.extra.get("fingerprint", ""))


def speed_words(values: Mapping[str, Any], mail_seconds: float) -> SpeedWords | None:
    """Say how fast these settings send; None while the numbers cannot be read."""
    tidy = normalise(values).values
    batch, sleep = tidy.get("batch_size"), tidy.get("sleep_seconds") or 0
    if not isinstance(sleep, int) or not (batch is None or (isinstance(batch, int) and batch > 0)):
        return None
    copies = sum(len([part for part in str(tidy.get(name) or "").split(", ") if part]) for name in ("cc", "bcc"))
    speed = Speed(batch, sleep, mail_seconds, copies)
    per_hour = _rounded(speed.mails_per_hour)
    sentence = f"1,000通で 約{_duration(speed.seconds_for(1000))}、1時間あたり 約{per_hour:,}通です。"
    preset = presets.find(str(tidy.get("preset") or ""))
    if preset is None or not preset.per_hour or speed.recipients_per_hour <= preset.per_hour:
        return SpeedWords(sentence, "", None)
    counted = f"{_copies_name(tidy)}を含めると 約{_rounded(speed.recipients_per_hour):,}通分になり、" if copies else ""
    limit = f"提供会社の目安(1時間 {preset.per_hour:,}通・{preset.limit_checked} 確認)を超えます。"
    size = batch or min(100, preset.per_hour)
    better = 3600 * size * (1 + copies) / preset.per_hour - size * mail_seconds
    return SpeedWords(sentence, counted + limit, -int(-better // 1) if batch else None)


def _copies_name(values: Mapping[str, Any]) -> str:
    return "・".join(name.upper() for name in ("cc", "bcc") if values.get(name)) + " "


def _rounded(number: float) -> int:
    return round(number / 10) * 10 if number >= 100 else max(1, round(number))


def _duration(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest}分"
    return f"{hours}時間{rest}分" if rest else f"{hours}時間"


def preset_data() -> dict[str, Any]:
    """Return what the page's script needs to fill in a provider's values."""
    return {
        preset.key: {
            "values": {name: _as_form_value(value) for name, value in preset.values.items()},
            "note": preset.note,
            "source": preset.source,
            "checked": f"{preset.checked_on:%Y/%m/%d}",
            "verified": preset.is_verified,
        }
        for preset in presets.all_presets()
    }


def _as_form_value(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value)


def is_password_kept(account: MailAccount | None) -> bool:
    """Tell whether a password is 登録済み."""
    return account is not None and account.password_sealed is not None


BOUND = " ".join(BOUND_TO_PASSWORD)
