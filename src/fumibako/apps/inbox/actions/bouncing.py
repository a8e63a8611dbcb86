"""不達 decided by a person."""

from __future__ import annotations

from fumibako.apps.office.models import Operator
from fumibako.apps.sending.models import Delivery

from ..models import BounceReport


def settle_bounce(
    operator: Operator | None, report: BounceReport, delivery: Delivery | None, reason: str
) -> BounceReport:
    """Take an unmatched or unproven report off the work list: it is about `delivery`, or (None) about none of ours.

    Raises Refused without a reason, NotNow when it was settled already or the delivery cannot be 不達.
    """
    raise NotImplementedError
