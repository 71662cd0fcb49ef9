"""The secret key that a PHP program shows in plain."""

import pytest

from gateway_wire.errors import AuthenticationFailed, ErrorCode, RemoteProtocolError
from gateway_wire.plain_key import check_plain_key


@pytest.mark.parametrize("key", ["", "key", "schlüssel", "\ud800"])
def test_the_same_on_both_sides_passes(key: str) -> None:
    """No key on both sides is the same, too."""
    check_plain_key(key, key, "gateway")


@pytest.mark.parametrize(
    ("expected", "given", "code", "told"),
    [
        ("key", "", ErrorCode.KEY_MISSING, "this gateway has a secret key"),
        ("", "key", ErrorCode.KEY_UNEXPECTED, "this gateway has none"),
        ("right", "wrong", ErrorCode.KEY_WRONG, "is not that of this gateway"),
        ("right", "\ud800", ErrorCode.KEY_WRONG, "is not that of this gateway"),
    ],
)
def test_which_side_is_wrong_is_said(expected: str, given: str, code: ErrorCode, told: str) -> None:
    """And no message shows a key."""
    with pytest.raises(AuthenticationFailed, match=told) as caught:
        check_plain_key(expected, given, "gateway")

    assert caught.value.code is code
    assert "right" not in str(caught.value)
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("given", [None, 1, ["key"], {}])
def test_what_is_no_text_breaks_the_protocol(given: object) -> None:
    """Keys are texts."""
    with pytest.raises(RemoteProtocolError, match="is no text"):
        check_plain_key("key", given, "gateway")
