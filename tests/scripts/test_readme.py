"""Checks of the code that README.md shows."""

from gateway_client import METHODS
from gateway_client.calls.current import CURRENT
from scripts.readme import events, push_script, quick_start
from scripts.tree import ROOT


def test_the_push_script_is_forty_lines_and_the_same_everywhere() -> None:
    """The script stays short enough to read and paste; the examples have it verbatim."""
    script = (ROOT / "gateway/demo/assets/push.js").read_text()
    assert len(script.splitlines()) <= 40
    copies = [*(ROOT / "examples").rglob("push.js")]
    assert len(copies) == 5
    assert {copy.read_text() for copy in copies} == {script}
    assert push_script() == f"```js\n{script}```\n"


def test_the_quick_start_has_twenty_lines() -> None:
    """The README's first code is at most twenty lines as it stands, imports and blank lines too."""
    assert len(quick_start().splitlines()[1:-1]) <= 20


def test_the_events_have_twenty_lines() -> None:
    """So are the README's events."""
    assert len(events().splitlines()[1:-1]) <= 20


def test_every_method_stands_in_the_migration_guide() -> None:
    """Who comes from GatewayWorker finds each method of the client in its tables."""
    guide = (ROOT / "docs/coming-from-gatewayworker.md").read_text()
    assert [name for name in (*METHODS, *CURRENT) if f"`{name}" not in guide] == []
