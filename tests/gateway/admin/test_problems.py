"""What the API answers where something is wrong."""

import pytest

from gateway.admin.problems import Problem, failures, problem_of
from gateway_client.errors import (
    AuthenticationFailed,
    CommandRefused,
    ErrorCode,
    GatewayError,
    GatewayUnavailable,
    InvalidClientId,
    MessageTooLarge,
    PartialResult,
    RegisterUnavailable,
    ReplyTimeout,
)
from gateway_client.reached import GatewayFailure

ONE = GatewayFailure("127.0.0.1:2900", "0123456789ab", "refused the connection")
TWO = GatewayFailure("127.0.0.1:2901", "ba9876543210", "did not answer")


def told(failure: GatewayFailure) -> dict[str, str]:
    """Give a failure as the API tells it."""
    return {"address": failure.address, "node_id": failure.node_id, "reason": failure.reason}


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (InvalidClientId("x"), Problem.INVALID_CLIENT_ID),
        (MessageTooLarge("message", 2, 1), Problem.MESSAGE_TOO_LARGE),
        (PartialResult(1, [], [ONE], []), Problem.PARTIAL_RESULT),
        (RegisterUnavailable({"127.0.0.1:1236": "refused"}), Problem.REGISTER_UNAVAILABLE),
        (GatewayUnavailable([ONE], []), Problem.GATEWAY_UNAVAILABLE),
        (ReplyTimeout([ONE]), Problem.REPLY_TIMEOUT),
        (CommandRefused("invalid", "no", "127.0.0.1:2900"), Problem.REFUSED),
        (AuthenticationFailed(ErrorCode.KEY_WRONG, "keys differ"), Problem.AUTHENTICATION_FAILED),
        (GatewayError("new"), Problem.GATEWAY_ERROR),
    ],
)
def test_each_error_of_the_library_has_its_code(error: GatewayError, problem: Problem) -> None:
    """The message is the library's, with the address and the remedy in it."""
    answer = problem_of(error)
    assert answer.problem is problem
    assert str(answer) == str(error)


def test_a_partial_result_tells_what_there_is_and_what_is_missing() -> None:
    """Half an answer is an error that carries the half."""
    answer = problem_of(PartialResult(5, ["127.0.0.1:2902"], [ONE], [TWO]))
    assert answer.fields == {"result": 5, "not_sent": [told(ONE)], "unknown": [told(TWO)]}


def test_who_was_not_asked_is_named() -> None:
    """Nothing was done there; empty lists are left out."""
    assert problem_of(GatewayUnavailable([ONE])).fields == {"not_sent": [told(ONE)]}
    assert problem_of(GatewayUnavailable()).fields == {}


def test_who_did_not_answer_is_named() -> None:
    """It may be done there or not."""
    fields = problem_of(ReplyTimeout([TWO], [ONE])).fields
    assert fields == {"not_sent": [told(ONE)], "unknown": [told(TWO)]}


def test_codes_are_unique() -> None:
    """A code says one thing; its status is that of a client's or a server's error."""
    assert len({problem.code for problem in Problem}) == len(Problem)
    assert all(400 <= problem.status < 600 for problem in Problem)


def test_failures_are_plain_values() -> None:
    """They stand in an answer by name."""
    assert failures(not_sent=(ONE,), unknown=()) == {"not_sent": [told(ONE)]}
