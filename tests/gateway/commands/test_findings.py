"""Checks of what `gateway check` prints."""

from gateway.commands.findings import ok, problem, warning


def test_each_level_is_a_word_in_a_column_of_its_own() -> None:
    """Lines of all levels stand one below the other, subject after level."""
    lines = [str(make("port 1", "text")) for make in (ok, warning, problem)]
    assert lines == ["ok       port 1: text", "warning  port 1: text", "problem  port 1: text"]
