"""What a call can raise besides `TypeError` and `ValueError` for its arguments.

::

    GatewayError                        root of everything the cluster raises
    ├── RegisterUnavailable             no register answers and the call needs one
    ├── GatewayUnavailable              certainly not executed
    ├── ReplyTimeout (TimeoutError)     written, but no answer came: may have been executed or not
    ├── PartialResult                   some gateways answered and others did not
    ├── CommandRefused                  a gateway understood the command and refused it
    ├── ConsumerTrouble                 told to on_error: a consumer gets nothing from somebody
    ├── AuthenticationFailed            the secret keys differ, or one side has none
    ├── MessageTooLarge (ValueError)
    └── InvalidClientId (ValueError)

The question that a caller has after an error is whether the call may be made again. After
`RegisterUnavailable` and `GatewayUnavailable` it may: nothing was executed. After `ReplyTimeout`,
and for the gateways in `unknown`, a second call may do the same thing twice. The library itself
never sends twice.
"""

from __future__ import annotations

from errno import ECONNREFUSED
from typing import TYPE_CHECKING, Any

from gateway_wire.errors import (
    AuthenticationFailed,
    ErrorCode,
    GatewayError,
    InvalidClientId,
    LinkError,
    MessageTooLarge,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway_client.reached import GatewayFailure

__all__ = [
    "AuthenticationFailed",
    "CommandRefused",
    "ConsumerTrouble",
    "ErrorCode",
    "GatewayError",
    "GatewayUnavailable",
    "InvalidClientId",
    "MessageTooLarge",
    "PartialResult",
    "RegisterUnavailable",
    "ReplyTimeout",
    "is_refused",
    "link_error",
    "no_register",
]


class RegisterUnavailable(GatewayError):
    """No register answers, and which gateways there are is not known.

    Attributes:
        failures: Why, by the address of each register.
        refused: The addresses where nothing listens.
    """

    def __init__(self, failures: dict[str, str], refused: Sequence[str] = ()) -> None:
        super().__init__(failures, tuple(refused))
        self.failures = failures
        self.refused = tuple(refused)

    def __str__(self) -> str:
        reasons = "; ".join(f"{address}: {why}" for address, why in self.failures.items())
        start = "".join(
            f" Start it with: register start --listen {address}" for address in self.refused[:1]
        )
        return (
            f"no register answers ({reasons}). Is it running, and is register_address right?{start}"
        )


def link_error(error: OSError) -> LinkError:
    """Return how the kernel's error ends a link, with the error as its cause."""
    ended = LinkError(error.strerror or str(error))
    ended.__cause__ = error
    return ended


def no_register(failures: Mapping[str, GatewayError | None]) -> GatewayError:
    """Return what is raised when no register answers.

    Args:
        failures: Why, by the address of each; None for one that said nothing yet.

    Returns:
        The refusal of the secret key, if one register refused it; else `RegisterUnavailable`.
    """
    for failure in failures.values():
        if isinstance(failure, AuthenticationFailed):
            return failure
    return RegisterUnavailable(
        {address: str(failure or "no answer in time") for address, failure in failures.items()},
        [address for address, failure in failures.items() if is_refused(failure)],
    )


def is_refused(failure: GatewayError | None) -> bool:
    """Return whether nothing listens there; what is cut later, or never answers, is something else."""
    cause = None if failure is None else failure.__cause__
    # asyncio joins the errors of a name with several addresses, such as localhost, in one text.
    return isinstance(cause, ConnectionRefusedError) or f"[Errno {ECONNREFUSED}]" in str(cause)


class GatewayUnavailable(GatewayError):
    """No gateway could be asked, or not the one that matters; nothing was executed.

    Attributes:
        not_sent: The gateways that could not be asked, each with its reason; empty if no gateway
            is announced at all.
        registers: The addresses of the registers that were asked for gateways.
    """

    def __init__(
        self, not_sent: Sequence[GatewayFailure] = (), registers: Sequence[str] = ()
    ) -> None:
        super().__init__(tuple(not_sent), tuple(registers))
        self.not_sent = tuple(not_sent)
        self.registers = tuple(registers)

    def __str__(self) -> str:
        registers = ", ".join(self.registers)
        if not self.not_sent:
            return (
                f"no gateway is announced at the register {registers}. Is one running? "
                f"Start it with: gateway start --register {','.join(self.registers)}"
            )
        failures = "; ".join(map(str, self.not_sent))
        return (
            f"not executed, the gateway could not be asked: {failures} "
            f"(announced at the register {registers})"
        )


class ReplyTimeout(GatewayError, TimeoutError):
    """The command was written to a gateway that then gave no answer; it may have been executed.

    Attributes:
        unknown: The gateways, each with what happened: it did not answer within `timeout`, or the
            link was lost before it did.
        not_sent: Other gateways of the same call that could not be asked.
    """

    def __init__(
        self, unknown: Sequence[GatewayFailure], not_sent: Sequence[GatewayFailure] = ()
    ) -> None:
        super().__init__(tuple(unknown), tuple(not_sent))
        self.unknown = tuple(unknown)
        self.not_sent = tuple(not_sent)

    def __str__(self) -> str:
        failures = "; ".join(map(str, (*self.unknown, *self.not_sent)))
        return f"no answer, so it may have been executed or not: {failures}"


class PartialResult(GatewayError):
    """Some gateways answered and others did not.

    Attributes:
        value: What the answers of the others give together.
        done: Addresses of the gateways that answered.
        not_sent: Those that certainly did not execute the call, each with its reason.
        unknown: Those that were written to but did not answer.
    """

    def __init__(
        self,
        value: Any,
        done: Sequence[str],
        not_sent: Sequence[GatewayFailure],
        unknown: Sequence[GatewayFailure],
    ) -> None:
        super().__init__(value, tuple(done), tuple(not_sent), tuple(unknown))
        self.value = value
        self.done = tuple(done)
        self.not_sent = tuple(not_sent)
        self.unknown = tuple(unknown)

    def __str__(self) -> str:
        missing = (*self.not_sent, *self.unknown)
        failures = "; ".join(map(str, missing))
        return (
            f"{len(self.done)} of {len(self.done) + len(missing)} gateways answered: {failures}. "
            "What the others said is in .value"
        )


class CommandRefused(GatewayError):
    """A gateway understood the command and refused it.

    Attributes:
        code: The gateway's error code as text (it may be newer than our catalogue).
        text: The gateway's sentence.
        address: The gateway.
    """

    def __init__(self, code: str, text: str, address: str) -> None:
        super().__init__(code, text, address)
        self.code = code
        self.text = text
        self.address = address

    def __str__(self) -> str:
        return f"the gateway {self.address} refused: {self.text} ({self.code})"


class ConsumerTrouble(GatewayError):
    """A consumer hears nothing from a gateway or a register; it goes on, and tries again.

    It is told to `on_error`, once at each change, and never raised.

    Attributes:
        peer: Who: `"gateway "` or `"register "` and its address.
        reason: Why, as the end of a sentence that begins with the peer.
    """

    def __init__(self, peer: str, reason: str) -> None:
        super().__init__(peer, reason)
        self.peer = peer
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.peer} {self.reason}"
