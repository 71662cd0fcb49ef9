"""What commands must keep to beyond their types."""

import pytest

from gateway.handlers.checks import check_close, check_message, check_names
from gateway_wire.commands import CommandError
from gateway_wire.errors import ErrorCode
from gateway_wire.limits import MAX_ID_LENGTH


@pytest.mark.parametrize("name", ["a", "0", "ü" * (MAX_ID_LENGTH // 2), "x" * MAX_ID_LENGTH])
def test_names_up_to_the_limit_pass(name: str) -> None:
    """The limit counts bytes of UTF-8."""
    check_names("uid", [name])


def test_an_empty_name_is_refused() -> None:
    """The message says whose name it is."""
    with pytest.raises(CommandError, match="a group must not be empty") as refused:
        check_names("group", ["a", ""])

    assert refused.value.code is ErrorCode.INVALID


@pytest.mark.parametrize("name", ["x" * (MAX_ID_LENGTH + 1), "ü" * (MAX_ID_LENGTH // 2 + 1)])
def test_a_long_name_is_refused_and_quoted_in_short(name: str) -> None:
    """The message names it, but not all of it."""
    with pytest.raises(CommandError, match="longer than 1024 bytes") as refused:
        check_names("uid", [name])

    assert refused.value.code is ErrorCode.TOO_LARGE
    assert name[:40] in refused.value.text
    assert len(refused.value.text) < 100


@pytest.mark.parametrize("message", ["", b"", "x" * 100, bytes(100), "ü" * 50, None])
def test_messages_up_to_the_limit_pass(message: str | bytes | None) -> None:
    """The limit counts the bytes that the client will receive."""
    check_message(message, 100)


@pytest.mark.parametrize("message", ["x" * 101, bytes(101), "ü" * 51])
def test_a_larger_message_is_refused_with_its_size(message: str | bytes) -> None:
    """The message names size, limit, setting and remedy."""
    with pytest.raises(CommandError, match=r"10\d bytes, this gateway's max_message is 100") as no:
        check_message(message, 100)

    assert no.value.code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize("code", [1000, 3003, 3500, 3501, 4000, 4999])
def test_an_application_closes_with_its_codes(code: int) -> None:
    """1000, 4000-4999, and those of ours that are meant for it."""
    check_close(code, "x" * 123)


@pytest.mark.parametrize(
    ("code", "reason"), [(1006, ""), (3000, ""), (999, ""), (5000, ""), (1000, "x" * 124)]
)
def test_other_codes_and_long_reasons_are_refused(code: int, reason: str) -> None:
    """A code that would say something untrue never leaves."""
    with pytest.raises(CommandError) as refused:
        check_close(code, reason)

    assert refused.value.code is ErrorCode.INVALID
