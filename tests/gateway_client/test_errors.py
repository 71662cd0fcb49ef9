"""The errors say what happened, where, and what to do."""

import errno
import pickle

import pytest

from gateway_client.errors import (
    AuthenticationFailed,
    CommandRefused,
    ConsumerTrouble,
    ErrorCode,
    GatewayError,
    GatewayUnavailable,
    PartialResult,
    RegisterUnavailable,
    ReplyTimeout,
    link_error,
    no_register,
)
from gateway_client.reached import GatewayFailure

FAILURE = GatewayFailure("10.0.0.1:2900", "aaaaaaaaaaaa", "did not answer within 5 s")
ERRORS = (
    RegisterUnavailable({"10.0.0.9:1236": "Connection refused"}, ["10.0.0.9:1236"]),
    GatewayUnavailable((), ["10.0.0.9:1236"]),
    GatewayUnavailable([FAILURE], ["10.0.0.9:1236"]),
    ReplyTimeout([FAILURE]),
    PartialResult(3, ["10.0.0.2:2900"], [FAILURE], []),
    CommandRefused("invalid", "no such code", "10.0.0.1:2900"),
    ConsumerTrouble("gateway 10.0.0.1:2900", "is lost: cut"),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_each_is_a_gateway_error_and_survives_pickling(error: GatewayError) -> None:
    """Task queues pickle errors; message and fields survive."""
    twin = pickle.loads(pickle.dumps(error))
    assert isinstance(twin, GatewayError)
    assert (str(twin), vars(twin)) == (str(error), vars(error))


@pytest.mark.parametrize(
    ("error", "phrase"),
    list(
        zip(
            ERRORS,
            (
                r"10\.0\.0\.9:1236: Connection refused.*register start --listen 10\.0\.0\.9:1236",
                r"no gateway is announced at the register 10\.0\.0\.9:1236.*gateway start --register",
                r"gateway 10\.0\.0\.1:2900 did not answer.*register 10\.0\.0\.9:1236",
                r"may have been executed or not: gateway 10\.0\.0\.1:2900",
                r"1 of 2 gateways answered: gateway 10\.0\.0\.1:2900",
                r"gateway 10\.0\.0\.1:2900 refused: no such code \(invalid\)",
                r"gateway 10\.0\.0\.1:2900 is lost: cut",
            ),
            strict=True,
        )
    ),
)
def test_each_names_the_address_and_the_remedy(error: GatewayError, phrase: str) -> None:
    """The message names the address and, where there is one, the remedy."""
    with pytest.raises(type(error), match=phrase):
        raise error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), ["localhost:1236"]),
        # What asyncio makes of a name with two addresses.
        (
            OSError(
                "Multiple exceptions: [Errno 99] Cannot assign requested address, "
                f"[Errno {errno.ECONNREFUSED}] Connect call failed ('127.0.0.1', 1236)"
            ),
            ["localhost:1236"],
        ),
        (OSError(errno.EHOSTUNREACH, "No route to host"), []),
    ],
)
def test_only_where_nothing_listens_a_register_is_to_be_started(
    error: OSError, told: list[str]
) -> None:
    """The command to start one is said for the first address that refused, and for no other."""
    failures = {"10.0.0.9:1236": None, "localhost:1236": link_error(error)}
    unavailable = no_register(failures)
    assert isinstance(unavailable, RegisterUnavailable)
    assert list(unavailable.refused) == told
    assert ("register start --listen localhost:1236" in str(unavailable)) == bool(told)


def test_a_refused_key_is_said_before_anything_else() -> None:
    """With one register that refuses the key and one that is away, the key is what is wrong."""
    refused = AuthenticationFailed(ErrorCode.KEY_WRONG, "the keys differ", "10.0.0.9:1236")
    assert no_register({"10.0.0.8:1236": None, "10.0.0.9:1236": refused}) is refused


def test_a_reply_timeout_is_a_timeout() -> None:
    """Code that catches TimeoutError catches it."""
    assert issubclass(ReplyTimeout, TimeoutError)
