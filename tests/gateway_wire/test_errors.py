"""What errors say, and of which family they are."""

import copy
import pickle

import pytest

from gateway_wire.errors import (
    AuthenticationFailed,
    ErrorCode,
    GatewayError,
    InvalidClientId,
    LinkError,
    LinkRefused,
    LocalProtocolError,
    MessageTooLarge,
    RemoteProtocolError,
)

EACH = (
    InvalidClientId("x"),
    MessageTooLarge("message", 2_000_000, 1_048_576, "send a link to it"),
    AuthenticationFailed(ErrorCode.KEY_WRONG, "the keys differ", "10.0.0.1:1236"),
    LocalProtocolError("a bug"),
    RemoteProtocolError("not ours", ErrorCode.VERSION),
    LinkRefused("stopping", "the gateway is stopping"),
)


@pytest.mark.parametrize("error", EACH, ids=lambda each: type(each).__name__)
def test_errors_keep_their_facts_when_copied(error: GatewayError) -> None:
    """Pickling (process pools, task queues) keeps type, fields and message."""
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is type(error)
        assert vars(other) == vars(error)
        assert str(other) == str(error)


def test_the_tree_is_as_drawn() -> None:
    """One root; errors about links under their own; two that are also ValueErrors."""
    assert all(isinstance(each, GatewayError) for each in EACH)
    assert issubclass(LinkRefused, LinkError)
    assert issubclass(RemoteProtocolError, LinkError)
    assert not issubclass(AuthenticationFailed, LinkError)
    assert issubclass(MessageTooLarge, ValueError)
    assert issubclass(InvalidClientId, ValueError)


def test_messages_are_built_from_the_facts() -> None:
    """What went wrong comes first, the remedy last."""
    assert [str(each) for each in EACH[1:]] == [
        "the message has 2,000,000 bytes, the limit is 1,048,576; send a link to it",
        "10.0.0.1:1236: the keys differ",
        "a bug",
        "not ours",
        "the gateway is stopping (stopping)",
    ]
    assert str(MessageTooLarge("session", 2, 1)) == "the session has 2 bytes, the limit is 1"
    assert str(AuthenticationFailed(ErrorCode.KEY_MISSING, "no key")) == "no key"


def test_a_long_value_is_not_repeated_in_full() -> None:
    """A megabyte given as a client id does not fill the log."""
    assert len(str(InvalidClientId("x" * 1_000_000))) < 300


def test_error_codes_never_change() -> None:
    """What the wire carries is fixed: new codes may be added, none renamed or removed."""
    assert {each.name: each.value for each in ErrorCode}.items() >= {
        "UNSUPPORTED": "unsupported",
        "MALFORMED": "malformed",
        "FORBIDDEN": "forbidden",
        "TOO_LARGE": "too_large",
        "INVALID": "invalid",
        "INTERNAL": "internal",
        "STOPPING": "stopping",
        "VERSION": "version",
        "KEY_MISSING": "key_missing",
        "KEY_UNEXPECTED": "key_unexpected",
        "KEY_WRONG": "key_wrong",
        "PROTOCOL": "protocol",
        "TIMEOUT": "timeout",
        "DUPLICATE_NODE": "duplicate_node",
        "UNREACHABLE_ADDRESS": "unreachable_address",
    }.items()
