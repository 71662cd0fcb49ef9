"""Answers to PHP's clients: short ones, long ones in parts, and how long they may be."""

import pytest

from gateway.php.answers import (
    MAX_ANSWER,
    MAX_KEPT,
    PART_BYTES,
    PART_ROWS,
    LongAnswers,
    answer,
    array_of,
    short,
    string_of,
)
from gateway.php.values import serialize, unserialize
from gateway_wire.commands import CommandError
from gateway_wire.errors import ErrorCode


def row(number: int, value: object = None) -> bytes:
    """Give one entry of an array."""
    return serialize(number) + serialize(value)  # type: ignore[arg-type]


def test_a_short_answer_is_a_value_with_its_length() -> None:
    """The length is that of the bytes of the value."""
    assert short(1) == b"\x00\x00\x00\x04i:1;"
    assert short("ü") == b'\x00\x00\x00\x09s:2:"\xc3\xbc";'
    assert answer(b"N;") == b"\x00\x00\x00\x02N;"


def test_pieces_of_values_are_as_serialize_writes_them() -> None:
    """What is joined of entries, or holds bytes, is a value like any other."""
    assert array_of([row(0, "a"), row(1, "b")]) == serialize(["a", "b"])
    assert array_of([]) == serialize([])
    assert string_of("推".encode()) == serialize("推")


@pytest.mark.parametrize("count", [0, 1, PART_ROWS - 1, PART_ROWS, PART_ROWS + 1, 5 * PART_ROWS])
def test_an_array_is_whole_however_many_parts_it_has(count: int) -> None:
    """Its head counts the entries and the bytes of all parts."""
    whole = b"".join(LongAnswers().array(row(number) for number in range(count)))

    assert int.from_bytes(whole[:4], "big") == len(whole) - 4
    assert unserialize(whole[4:]) == dict.fromkeys(range(count))


def test_others_have_a_turn_while_a_long_array_is_written() -> None:
    """There is an empty part after so many rows or bytes; what is looked at in vain counts, too."""
    of_small = list(LongAnswers().array(row(number) for number in range(2 * PART_ROWS)))
    of_none = list(LongAnswers().array(b"" for _ in range(2 * PART_ROWS)))
    of_large = list(LongAnswers().array(row(number, "x" * PART_BYTES) for number in range(3)))

    assert [parts.count(b"") for parts in (of_small, of_none, of_large)] == [2, 4, 3]
    assert b"".join(of_none) == answer(serialize({}))
    assert of_small[:2] == [b"", b""]


def test_an_answer_is_bounded() -> None:
    """What no PHP program could read is not kept until the memory is full."""
    large = row(0, "x" * (MAX_ANSWER // 16))
    writing = LongAnswers().array(large for _ in range(1_000))

    with pytest.raises(CommandError, match="134,217,728 bytes: ask for less") as caught:
        list(writing)
    assert caught.value.code is ErrorCode.TOO_LARGE


def test_all_answers_together_are_bounded() -> None:
    """Those that are under way come to their end; what is read or given up makes room for others."""
    answers = LongAnswers(3 * PART_BYTES)
    rows = [row(0, "x" * PART_BYTES), row(1)]
    first, second, third = (answers.array(rows) for _ in range(3))

    assert [next(first), next(second)] == [b"", b""]
    with pytest.raises(
        CommandError, match=r"196,608 bytes: ask for less, .* not so often"
    ) as caught:
        next(third)
    assert caught.value.code is ErrorCode.TOO_LARGE
    assert answers.kept == 2 * len(rows[0])
    assert unserialize(b"".join(first)[4:]) == {0: "x" * PART_BYTES, 1: None}
    second.close()
    assert repr(answers) == "<LongAnswers keeping 0 bytes>"
    assert b"".join(answers.array(rows)) != b""
    assert MAX_KEPT == 4 * MAX_ANSWER
