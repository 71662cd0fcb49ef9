"""What goes wrong between the messages of a consumer, told once at each change.

Pure, and shared by both kinds of consumer, so that both say the same. A consumer goes on whatever happens to
registers and gateways: it dials again, and tells `on_error` what keeps messages from coming, or logs it. What is as it was
is not told again, however often it is tried. Only wrong secret keys on all sides end it, as no retry mends them
(`Troubles.hopeless`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from gateway_client.errors import ConsumerTrouble, GatewayUnavailable, is_refused
from gateway_client.functions import is_async
from gateway_client.queue_message import BaseMessage
from gateway_wire.commands import Error
from gateway_wire.errors import AuthenticationFailed, ErrorCode, GatewayError, LinkRefused

__all__ = ["OnError", "Troubles"]

OnError: TypeAlias = Callable[[Exception], object]
"""Takes what went wrong: a `GatewayError`, or what a handler raised. A plain function."""

logger = logging.getLogger("gateway_client")

_NO_GATEWAYS: Final = "gateways"


class Troubles:
    """What keeps messages from coming to one consumer.

    Attributes:
        on_error: Is told; a line in the log if None.
    """

    def __init__(self, on_error: OnError | None) -> None:
        """Make an empty account.

        Raises:
            TypeError: If `on_error` cannot be called, or is `async def`.
        """
        if on_error is not None and not callable(on_error):
            raise TypeError(f"on_error is {on_error!r:.80}: give a function that takes the error")
        if is_async(on_error):
            raise TypeError("on_error is async def: give a plain function, which may start a task")
        self.on_error = on_error
        self._told: dict[str, str] = {}
        self._failures: dict[str, Exception] = {}

    def __repr__(self) -> str:
        return f"<Troubles {'; '.join(self._told.values()) or 'none'}>"

    # Registers.

    def registers(self, failures: Iterable[tuple[str, GatewayError | None]]) -> None:
        """Take note of how the registers are.

        Args:
            failures: Of each its address, and why it does not answer; None if it does, or is being asked.
        """
        for address, failure in failures:
            name = f"register {address}"
            if failure is None:
                self._well(name)
            else:
                self._ill(name, failure, _why_no_register(address, failure))

    def gateways_known(self, count: int, registers: Iterable[str]) -> None:
        """Take note of how many gateways are known, as a register has answered.

        Args:
            count: How many.
            registers: The addresses of the registers.
        """
        if count:
            self._told.pop(_NO_GATEWAYS, None)
        else:
            self._tell_change(_NO_GATEWAYS, GatewayUnavailable((), tuple(registers)))

    # Gateways.

    def consuming(self, address: str) -> None:
        """Take note that a gateway sends messages."""
        self._well(f"gateway {address}")

    def not_linked(self, address: str, why_not: str, error: Exception) -> None:
        """Take note that a gateway could not be dialled.

        Args:
            address: The gateway's.
            why_not: Why, as the end of a sentence that begins with it.
            error: What was raised.
        """
        name = f"gateway {address}"
        before = self._failures.get(name)
        if not (isinstance(before, LinkRefused) and before.is_stop):  # or it is down, as it said
            self._ill(name, error, why_not)

    def lost(self, address: str, reason: GatewayError) -> None:
        """Take note that the link to a gateway has ended."""
        has_stopped = isinstance(reason, LinkRefused) and reason.is_stop
        self._ill(
            f"gateway {address}", reason, "has stopped" if has_stopped else f"is lost: {reason}"
        )

    def refused(self, address: str, refusal: Error) -> None:
        """Take note that a gateway sends no messages, and says why."""
        why = refusal.text
        if refusal.error == ErrorCode.UNSUPPORTED.value:
            why = "it knows no queues, being older than this client: update it"
        error = LinkRefused(refusal.error, refusal.text)
        self._ill(f"gateway {address}", error, f"sends this consumer no messages: {why}")

    def forget(self, address: str) -> None:
        """Take note that a gateway is gone for good."""
        name = f"gateway {address}"
        self._told.pop(name, None)
        self._failures.pop(name, None)

    def hopeless(self, gateways: Iterable[str], registers: Iterable[str]) -> Exception | None:
        """Return why there is no use in waiting: nobody takes the secret key; None if there is.

        Args:
            gateways: The addresses of the gateways that are known.
            registers: Those of the registers, which count as long as no gateway is known.
        """
        names = [f"gateway {each}" for each in gateways] or [
            f"register {each}" for each in registers
        ]
        failures = [self._failures.get(name) for name in names]
        if all(isinstance(failure, AuthenticationFailed) for failure in failures):
            return failures[0]
        return None

    # Handlers.

    def handler_failed(self, error: Exception, message: BaseMessage, *, is_back: bool) -> None:
        """Tell what a handler raised, with a note on which message that was.

        Args:
            error: What it raised.
            message: The message.
            is_back: Whether it was given back; else it was settled before.
        """
        became = "was given back" if is_back else "was settled before"
        error.add_note(f"while {message!r} was handled, which {became}")
        self.tell(error)

    def tell(self, error: Exception) -> None:
        """Tell of an error, whether or not it is new."""
        if self.on_error is None:
            _log(error)
            return
        try:
            self.on_error(error)
        except Exception:  # it must not end what called us, which is a link
            logger.exception("on_error failed when it was told: %s", error)

    # Private methods

    def _ill(self, name: str, failure: Exception, why: str) -> None:
        if isinstance(failure, AuthenticationFailed):
            failure = AuthenticationFailed(failure.code, failure.text, name.partition(" ")[2])
            self._failures[name] = failure
            self._tell_change(name, failure)
            return
        self._failures[name] = failure
        trouble = ConsumerTrouble(name, why)
        trouble.__cause__ = failure
        self._tell_change(name, trouble)

    def _well(self, name: str) -> None:
        self._failures.pop(name, None)
        if self._told.pop(name, None) is not None:
            logger.info("%s is there again", name)

    def _tell_change(self, name: str, error: Exception) -> None:
        text = str(error)
        if self._told.get(name) != text:
            self._told[name] = text
            self.tell(error)


def _why_no_register(address: str, failure: GatewayError) -> str:
    if isinstance(failure, LinkRefused) and failure.is_stop:
        return "has stopped"
    if is_refused(failure):
        return f"refuses connections. Start it with: register start --listen {address}"
    return f"does not answer: {failure}"


def _log(error: Exception) -> None:
    """Write a line; one with a traceback for what is not ours, such as what a handler raised."""
    if not isinstance(error, GatewayError):
        logger.error("a handler failed: %r", error, exc_info=error)
    elif isinstance(error, AuthenticationFailed):
        logger.error("consuming: %s", error)
    else:
        logger.warning("consuming: %s", error)
