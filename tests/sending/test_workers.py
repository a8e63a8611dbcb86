"""A worker's death is proven by its lock, and by nothing less."""

from __future__ import annotations

import pytest
from django.conf import settings

from fumibako.apps.sending import workers
from fumibako.apps.sending.models import Worker
from tests.support.jobs import NOW

pytestmark = pytest.mark.django_db


def test_a_worker_that_holds_its_lock_is_alive_however_long_it_was_silent() -> None:
    worker_id, lock = workers.enlist(NOW)
    assert workers.dead_workers() == set()
    workers.retire(worker_id, lock, NOW)


def test_a_free_lock_proves_a_death() -> None:
    worker_id, _ = workers.enlist(NOW)
    abandoned = "0f0f0f0f-0000-4000-8000-000000000000"
    (settings.DATA.run / f"{abandoned}.lock").touch()
    assert workers.dead_among({worker_id, abandoned}) == {abandoned}


def test_an_orderly_worker_leaves_no_lock_file_and_is_not_called_dead() -> None:
    worker_id, lock = workers.enlist(NOW)
    workers.retire(worker_id, lock, NOW)
    assert not (settings.DATA.run / f"{worker_id}.lock").exists()
    assert workers.dead_workers() == set()
    assert Worker.objects.get(pk=worker_id).stopped_at == NOW


def test_looking_at_a_living_worker_does_not_free_its_lock() -> None:
    worker_id, lock = workers.enlist(NOW)
    assert [workers.dead_among({worker_id}) for _ in range(3)] == [set()] * 3
    workers.retire(worker_id, lock, NOW)


def test_one_account_is_in_one_hand_at_a_time() -> None:
    with workers.account_in_hand(5) as first, workers.account_in_hand(5) as second, workers.account_in_hand(6) as other:
        assert (first, second, other) == (True, False, True)
    with workers.account_in_hand(5) as again:
        assert again
