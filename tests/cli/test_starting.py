"""Before a command: one `serve` per folder, and no change of tables under a running one."""

from __future__ import annotations

import pytest

from fumibako.apps.office import schema
from fumibako.cli.refused import CouldNotRun, Refused
from fumibako.cli.serve import is_loopback, port_number, require_name_for
from fumibako.cli.starting import folder_in_hand, is_folder_held, open_database


def test_one_folder_has_one_serve() -> None:
    assert not is_folder_held()
    with folder_in_hand():
        assert is_folder_held()
        with pytest.raises(CouldNotRun, match="もうふみばこが動いています"), folder_in_hand():
            pytest.fail("two at once")
    assert not is_folder_held()


@pytest.mark.django_db
def test_commands_work_beside_a_running_serve() -> None:
    with folder_in_hand():
        open_database()
        assert schema.schema().is_current


@pytest.mark.parametrize(("host", "is_ours"), [
    ("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True),
    ("0.0.0.0", False), ("::", False), ("192.0.2.1", False), ("mail.example.jp", False),
])  # fmt: skip
def test_only_loopback_needs_no_name(host: str, is_ours: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FUMIBAKO_HOSTS", raising=False)
    assert is_loopback(host) is is_ours
    if is_ours:
        require_name_for(host)
    else:
        with pytest.raises(Refused, match="FUMIBAKO_HOSTS"):
            require_name_for(host)


@pytest.mark.parametrize("text", ["-1", "65536", "80 ", "八十", "²"])
def test_a_port_is_a_number_that_ports_can_have(text: str) -> None:
    with pytest.raises(Exception, match="0〜65535"):
        port_number(text)
