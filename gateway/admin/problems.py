"""What can be wrong with a request of the HTTP API: a closed catalogue of codes with their statuses.

The code is for programs, the status for whatever stands between, the message for people. What the
client library raises is one of these too, by :func:`problem_of`. `docs/http-api.md` lists them.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from gateway_client.errors import (
    AuthenticationFailed,
    CommandRefused,
    GatewayError,
    GatewayUnavailable,
    InvalidClientId,
    MessageTooLarge,
    PartialResult,
    RegisterUnavailable,
    ReplyTimeout,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway_client.reached import GatewayFailure

__all__ = ["ApiError", "Problem", "failures", "problem_of"]


class Problem(Enum):
    """The codes of the API, each with its HTTP status and when it is answered."""

    INVALID_JSON = "invalid_json", 400, "The body is not JSON, or not an object."
    UNKNOWN_ARGUMENT = "unknown_argument", 400, "The method has no such argument."
    MISSING_ARGUMENT = "missing_argument", 400, "The method needs an argument that is not there."
    INVALID_ARGUMENT = "invalid_argument", 400, "An argument is of the wrong type or not allowed."
    INVALID_CLIENT_ID = "invalid_client_id", 400, "A client id is not one, in any form."
    UNKNOWN_METHOD = "unknown_method", 404, "There is no such method."
    BODY_TOO_LARGE = "body_too_large", 413, "The body is larger than this port takes."
    MESSAGE_TOO_LARGE = (
        "message_too_large",
        413,
        "A message, session or name is over its limit; nothing was sent.",
    )
    PARTIAL_RESULT = (
        "partial_result",
        502,
        "Some gateways answered, others did not; `result` is what the others said.",
    )
    REFUSED = "refused", 502, "A gateway understood the command and refused it."
    AUTHENTICATION_FAILED = (
        "authentication_failed",
        502,
        "This gateway and the rest of the cluster do not share a secret key.",
    )
    GATEWAY_ERROR = "gateway_error", 502, "Something else went wrong between this gateway and one."
    REGISTER_UNAVAILABLE = (
        "register_unavailable",
        503,
        "No register answers and it is not known whom to ask; nothing was done.",
    )
    GATEWAY_UNAVAILABLE = (
        "gateway_unavailable",
        503,
        "The gateways that matter could not be asked; nothing was done.",
    )
    REPLY_TIMEOUT = (
        "reply_timeout",
        504,
        "The gateway that matters was written to but did not answer; it may be done or not.",
    )

    def __init__(self, code: str, status: int, text: str) -> None:
        """Take a row of the catalogue."""
        self.code = code
        self.status = status
        self.text = text


class ApiError(Exception):
    """A request cannot be answered with a result.

    Attributes:
        problem: Which of the catalogue it is.
        fields: What else stands in the answer, beside `error`.
    """

    def __init__(self, problem: Problem, message: str, **fields: Any) -> None:
        super().__init__(problem, message)
        self.problem = problem
        self.message = message
        self.fields = fields

    def __str__(self) -> str:
        return self.message


_OF_LIBRARY: Final[tuple[tuple[type[GatewayError], Problem], ...]] = (
    (InvalidClientId, Problem.INVALID_CLIENT_ID),
    (MessageTooLarge, Problem.MESSAGE_TOO_LARGE),
    (PartialResult, Problem.PARTIAL_RESULT),
    (RegisterUnavailable, Problem.REGISTER_UNAVAILABLE),
    (GatewayUnavailable, Problem.GATEWAY_UNAVAILABLE),
    (ReplyTimeout, Problem.REPLY_TIMEOUT),
    (CommandRefused, Problem.REFUSED),
    (AuthenticationFailed, Problem.AUTHENTICATION_FAILED),
    (GatewayError, Problem.GATEWAY_ERROR),
)


def problem_of(error: GatewayError) -> ApiError:
    """Return what the API answers where the client library raises."""
    problem = next(problem for kind, problem in _OF_LIBRARY if isinstance(error, kind))
    fields: dict[str, Any] = {}
    if isinstance(error, PartialResult):
        fields["result"] = error.value
    if isinstance(error, PartialResult | GatewayUnavailable):
        fields |= failures(not_sent=error.not_sent)
    if isinstance(error, PartialResult | ReplyTimeout):
        fields |= failures(not_sent=error.not_sent, unknown=error.unknown)
    return ApiError(problem, str(error), **fields)


def failures(**lists: Iterable[GatewayFailure]) -> dict[str, Any]:
    """Return lists of gateways that gave no answer as plain values; empty ones are left out."""
    return {name: [each._asdict() for each in those] for name, those in lists.items() if those}
