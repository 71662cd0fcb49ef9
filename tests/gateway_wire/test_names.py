"""What may stand as uid, group and client id."""

import enum
import uuid
from typing import Any

import numpy as np
import pytest

from gateway_wire.errors import InvalidClientId, MessageTooLarge
from gateway_wire.names import client_ids_of, name_of, names_by_key, names_of

CLIENT = "aaaaaaaaaaaa" + "0" * 20


class Color(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Mixed(str, enum.Enum):  # noqa: UP042 - the older way, whose str() is another
    A = "a"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("42", "42"),
        (42, "42"),
        (0, "0"),
        (-1, "-1"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Color.RED, "red"),
        (Level.LOW, "1"),
        (Mixed.A, "a"),
        (np.int64(7), "7"),
        ("名", "名"),
    ],
)
def test_a_name_travels_as_its_text(value: Any, text: str) -> None:
    """Strings, integers, UUIDs and their subclasses are names, compared as text."""
    name = name_of("uid", value)
    assert (name, type(name)) == (text, str)


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (None, "logged in"),
        (True, "the id itself"),
        (1.0, "convert"),
        (b"a", "convert"),
        (object(), "convert"),
    ],
)
def test_what_could_only_be_a_mistake_is_a_type_error(value: Any, advice: str) -> None:
    """None, flags, floats and bytes are refused with what to do instead."""
    with pytest.raises(TypeError, match=advice):
        name_of("uid", value)


def test_an_empty_name_is_a_value_error() -> None:
    """An empty uid or group is refused, naming which of them it is."""
    with pytest.raises(ValueError, match="a group is never empty"):
        name_of("group", "")


def test_a_name_has_at_most_a_kilobyte() -> None:
    """The limit counts UTF-8 bytes, not characters."""
    assert name_of("uid", "é" * 512)
    with pytest.raises(MessageTooLarge, match=r"the uid has 1,026 bytes"):
        name_of("uid", "é" * 513)


def test_lone_surrogates_are_refused() -> None:
    """What UTF-8 cannot carry is a ValueError that says so."""
    with pytest.raises(ValueError, match="lone surrogates"):
        name_of("uid", "\udc80")


def test_several_names_come_in_any_iterable_and_count_once() -> None:
    """Lists, sets, generators and ranges are several names; equal ones are one."""
    assert names_of("uid", [1, "1", "b"]) == ["1", "b"]
    assert names_of("uid", (str(n) for n in range(2))) == ["0", "1"]
    assert names_of("uid", frozenset({5})) == ["5"]
    assert names_of("uid", range(2)) == ["0", "1"]
    assert names_of("uid", []) == []
    assert names_of("uid", "ab") == ["ab"]


def test_a_mapping_is_not_several_names() -> None:
    """A dict is refused, since keys or values may be meant."""
    with pytest.raises(TypeError, match=r"list\(mapping\)"):
        names_of("uid", {"a": 1})


@pytest.mark.parametrize("value", [None, True, 2.5, b"x", [None]])
def test_a_wrong_type_among_or_instead_of_several_is_refused(value: Any) -> None:
    """The same rules hold for one name, several, and what is in them."""
    with pytest.raises(TypeError):
        names_of("uid", value)


def test_batches_keep_the_callers_own_values() -> None:
    """A batch is keyed by what the caller gave."""
    assert names_by_key("uid", [7, "b"]) == {7: "7", "b": "b"}
    with pytest.raises(TypeError, match="give a list"):
        names_by_key("uid", "ab")


def test_client_ids_know_their_owner() -> None:
    """One id or several give the directory key of each; a malformed one is refused."""
    assert client_ids_of(CLIENT) == {CLIENT: "n:aaaaaaaaaaaa"}
    assert client_ids_of([CLIENT, CLIENT]) == {CLIENT: "n:aaaaaaaaaaaa"}
    for wrong in ("x", ["x"], 5, None):
        with pytest.raises(InvalidClientId):
            client_ids_of(wrong)  # type: ignore[arg-type]
