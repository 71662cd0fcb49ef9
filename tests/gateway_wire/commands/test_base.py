"""What a class becomes when it is declared a command."""

from typing import Any

import pytest

from gateway_wire.commands import CATALOGUE, COMMANDS, Hello, Role, SendToGroups, SetSession
from gateway_wire.commands.base import BACKENDS, Command, CommandError, command
from gateway_wire.commands.replies import NOTHING
from gateway_wire.errors import ErrorCode


@command(201, senders=BACKENDS, receivers=frozenset({Role.GATEWAY}), reply=NOTHING)
class TwoWords(Command):
    """An example."""

    name: str
    anything: Any
    numbers: list[int] | None = None


def test_a_class_knows_its_wire_form() -> None:
    """Code, name, fields and what they may hold come from the declaration."""
    assert (TwoWords.code, TwoWords.wire_name) == (201, "two_words")
    assert TwoWords.field_names == ("name", "anything", "numbers")
    assert TwoWords.field_required == 2
    assert [each.text for each in TwoWords.field_checks] == [
        "text",
        "any value",
        "list of integer or nil",
    ]
    assert [each.text for each in SetSession.field_checks] == ["text", "map"]


@pytest.mark.parametrize(
    "values", [["n", None], ["n", {"deep": [1]}, None], ["n", 1, []], ["n", b"", [1, 2]]]
)
def test_what_fits_is_built(values: list[object]) -> None:
    """Required fields and any further ones, each of its type, make the command."""
    built = TwoWords.from_fields(values)

    assert isinstance(built, TwoWords)
    assert list(built.to_fields())[: len(values)] == values


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([], "two_words: field 'name' is missing"),
        (["n"], "two_words: field 'anything' is missing"),
        ([1, 1], "two_words: field 'name' must be text"),
        (["n", 1, "x"], "two_words: field 'numbers' must be list of integer or nil"),
        (["n", 1, ["x"]], "two_words: field 'numbers' must be list of integer or nil"),
        (["n", 1, [1, True]], "two_words: field 'numbers' must be list of integer or nil"),
    ],
)
def test_what_does_not_fit_is_named(values: list[object], told: str) -> None:
    """The error says command, field and what the field holds."""
    with pytest.raises(CommandError, match=told) as caught:
        TwoWords.from_fields(values)

    assert caught.value.code is ErrorCode.MALFORMED


def test_what_is_behind_the_last_field_is_ignored() -> None:
    """A newer peer appends; nothing of it reaches the command."""
    assert TwoWords.from_fields(["n", 1, None, "new"]) == TwoWords("n", 1)


def test_commands_are_small() -> None:
    """No instance has a dictionary: tens of thousands may wait at once."""
    for each in COMMANDS.values():
        assert "__dict__" not in dir(each)


def test_codes_and_names_are_unique() -> None:
    """The catalogue holds each code and each name once."""
    listed = [each for _, commands in CATALOGUE for each in commands]

    assert len(COMMANDS) == len(listed)
    assert len({each.wire_name for each in listed}) == len(listed)


def test_codes_never_change() -> None:
    """The first and the last of each subject stand where they always stood."""
    borders = {(each[0].wire_name, each[0].code, each[-1].code) for _, each in CATALOGUE}

    assert borders == {
        ("hello", 1, 10),
        ("announce", 16, 18),
        ("send_to_all", 32, 39),
        ("bind_uid", 48, 52),
        ("is_online", 64, 78),
        ("set_session", 96, 100),
        ("take_events", 128, 140),
        ("consume", 144, 149),
    }


def test_every_command_is_described() -> None:
    """The docstring is the text of the protocol's description."""
    for each in COMMANDS.values():
        assert each.__doc__, each.wire_name
        assert not each.__doc__.startswith(f"{each.__name__}("), each.wire_name


def test_only_appended_fields_have_defaults() -> None:
    """Required fields come first, so that an older peer's shorter command can be read."""
    assert Hello.field_required == 7
    assert SendToGroups.from_fields([["g"], "m"]) == SendToGroups(["g"], "m", None)
