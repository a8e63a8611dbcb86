"""What the tests of sending share."""

from __future__ import annotations

import pytest

from fumibako.apps.office.models import Operator


@pytest.fixture
def operator(db: None) -> Operator:
    """Somebody who decides."""
    return Operator.objects.create(username="sato", display_name="佐藤 美咲")
