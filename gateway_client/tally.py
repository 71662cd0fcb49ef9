"""What has come of one call: answers, misses, and what they mean together.

Pure. A `Tally` counts what is still open and draws the conclusion; a `Request` is one command on
its way to one gateway, and knows what an answer to it looks like. Both shells, and the pipelines,
use them: what `Reached`, `PartialResult`, `GatewayUnavailable` and `ReplyTimeout` mean is decided
here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

from gateway_client.calls.base import Call, Missing
from gateway_client.directory import Node
from gateway_client.errors import (
    CommandRefused,
    GatewayUnavailable,
    PartialResult,
    ReplyTimeout,
)
from gateway_client.reached import GatewayFailure
from gateway_wire.commands import Command, Error, Reply, ReplyPart
from gateway_wire.errors import ErrorCode, GatewayError, MessageTooLarge, RemoteProtocolError

__all__ = ["Losses", "Miss", "Request", "Tally"]

R = TypeVar("R")


class Losses:
    """What one client object has lost, whichever links and loops it used.

    Attributes:
        count: How many commands of unconfirmed sends certainly did not reach a gateway.
    """

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def __repr__(self) -> str:
        return f"<Losses {self.count}>"


class Miss(NamedTuple):
    """Why one gateway gave no answer.

    Attributes:
        node: The gateway.
        reason: What happened, as the end of a sentence that begins with the gateway.
        sent: Whether the command was written to it, so that it may have been executed.
        error: What to raise if this is the only reason; None for the general errors.
    """

    node: Node
    reason: str
    sent: bool
    error: GatewayError | None = None

    @property
    def failure(self) -> GatewayFailure:
        """The same for the caller."""
        return GatewayFailure(str(self.node.address), self.node.node_id, self.reason)


class Tally(Generic[R]):
    """The account of one call.

    It keeps neither the call nor its command: thousands of tallies may be waiting in a pipeline, and
    Python's garbage collector walks over whatever they hold. For the same reason it has no lists.

    Attributes:
        name: The method that was called.
        combine: Makes the result from the answers.
        missing: What missing answers mean.
        asked: Who was asked, if more than one gateway may be.
        open: Gateways that were asked and neither answered nor failed yet.
        misses: What is missing.
        on_settled: Called with the tally when none is open any more, if set.
        place: Its place in the pipeline it belongs to.
    """

    __slots__ = (
        "_answers",
        "_registers",
        "asked",
        "combine",
        "misses",
        "missing",
        "name",
        "on_settled",
        "open",
        "place",
    )

    def __init__(self, call: Call[R], registers: Sequence[str]) -> None:
        self.name = call.name
        self.combine, self.missing = call.terms()
        self.asked: Sequence[Node] = ()
        self.open = 0
        self.misses: tuple[Miss, ...] = ()
        self.on_settled: Callable[[Tally[Any]], None] | None = None
        self.place = 0
        self._registers = registers
        self._answers: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        done, missed = len(self._answers), len(self.misses)
        return f"<Tally of {self.name}: {self.open} open, {done} done, {missed} missed>"

    def answered(self, value: Any) -> None:
        """Take an answer."""
        self.open -= 1
        self._answers += (value,)
        if self.on_settled is not None and self.open == 0:
            self.on_settled(self)

    def missed(self, miss: Miss) -> None:
        """Take note that a gateway that was asked gives no answer."""
        self.open -= 1
        self.misses += (miss,)
        if self.on_settled is not None and self.open == 0:
            self.on_settled(self)

    def skipped(self, miss: Miss) -> None:
        """Take note that a gateway is not asked."""
        self.misses += (miss,)

    def result(self) -> R:
        """Draw the conclusion.

        Raises:
            GatewayError: As the call's method says.
        """
        if self.missing is Missing.UNCONFIRMED:
            return cast("R", self._of_unconfirmed())
        if self.misses:
            return self._of_some()
        return self.combine(self._answers)

    def _of_unconfirmed(self) -> None:
        if self.misses and not self._answers:
            raise self._nothing()

    def _of_some(self) -> R:
        """Draw the conclusion when something is missing."""
        not_sent, unknown = self._failures()
        is_done = self.missing in _OF_WHAT_IS_DONE
        if not self._answers and not (is_done and unknown):
            raise self._nothing()
        value: Any = self.combine(self._answers)
        if is_done:
            value = type(value)(value, not_sent, unknown)
        if self.missing in _ERRORS:
            raise self._partial(value)
        return cast("R", value)

    def _partial(self, value: Any) -> PartialResult:
        not_sent, unknown = self._failures()
        missed = {miss.node for miss in self.misses}
        done = [str(node.address) for node in self.asked if node not in missed]
        return PartialResult(value, done, not_sent, unknown)

    def _nothing(self) -> GatewayError:
        """Return what to raise when no gateway answered at all."""
        for miss in self.misses:
            if miss.error is not None:
                return miss.error
        not_sent, unknown = self._failures()
        if unknown:
            return ReplyTimeout(unknown, not_sent)
        return GatewayUnavailable(not_sent, self._registers)

    def _failures(self) -> tuple[tuple[GatewayFailure, ...], tuple[GatewayFailure, ...]]:
        not_sent = tuple(miss.failure for miss in self.misses if not miss.sent)
        return not_sent, tuple(miss.failure for miss in self.misses if miss.sent)


_OF_WHAT_IS_DONE: Final = frozenset({Missing.COUNTED, Missing.STRICT})
_ERRORS: Final = frozenset({Missing.STRICT, Missing.PARTIAL})
_MAYBE_EXECUTED: Final = frozenset({ErrorCode.INTERNAL.value})


class Request:
    """One command on its way to one gateway.

    Attributes:
        tally: The call it belongs to.
        node: The gateway.
        kind: The command's class, which knows the shape of an answer.
        end: Where its last byte stands in what is written to the link, for the blocking shell.
    """

    __slots__ = ("_whole", "end", "kind", "node", "tally")

    def __init__(self, tally: Tally[Any], node: Node, kind: type[Command]) -> None:
        self.tally = tally
        self.node = node
        self.kind = kind
        self.end = 0
        self._whole: Any = None
        tally.open += 1

    def __repr__(self) -> str:
        return f"<Request {self.kind.wire_name} to {self.node.address}>"

    def receive(self, answer: object) -> bool:
        """Take an answer, or a part of one.

        Returns:
            Whether the request is finished.

        Raises:
            RemoteProtocolError: If the answer is not one to this command.
        """
        if type(answer) is Reply:
            value = answer.value
            if self._whole is not None:
                self._add(value)
                value = self._whole
            elif not self.kind.reply.fits(value):
                raise self._misshapen(value)
            self.tally.answered(value)
            return True
        if type(answer) is ReplyPart:
            self._add(answer.value)
            return False
        if type(answer) is Error:
            self._refused(answer)
            return True
        raise RemoteProtocolError(f"{answer!r:.80} was sent in place of an answer")

    def fail(self, reason: str, *, sent: bool, error: GatewayError | None = None) -> None:
        """Take note that no answer will come."""
        self.tally.missed(Miss(self.node, reason, sent, error))

    def _add(self, part: Any) -> None:
        shape = self.kind.reply
        if not shape.in_parts or not shape.fits(part):
            raise self._misshapen(part)
        if self._whole is None:
            self._whole = part
        else:
            shape.extend(self._whole, part)

    def _misshapen(self, value: object) -> RemoteProtocolError:
        shape = self.kind.reply.text
        return RemoteProtocolError(
            f"{self.kind.wire_name} is answered by {shape}, not {value!r:.40}"
        )

    def _refused(self, answer: Error) -> None:
        reason = f"refused: {answer.text} ({answer.error})"
        error: GatewayError | None = None
        if answer.error == ErrorCode.TOO_LARGE.value:
            error = _too_large(answer)
        elif answer.error != ErrorCode.STOPPING.value:
            error = CommandRefused(answer.error, answer.text, str(self.node.address))
        self.fail(reason, sent=answer.error in _MAYBE_EXECUTED, error=error)


def _too_large(answer: Error) -> MessageTooLarge:
    details = answer.details
    what, size, limit = details.get("what"), details.get("size"), details.get("limit")
    if isinstance(what, str) and isinstance(size, int) and isinstance(limit, int):
        return MessageTooLarge(what, size, limit, answer.text)
    return _ToldTooLarge(answer.text)


class _ToldTooLarge(MessageTooLarge):
    """`MessageTooLarge` in a gateway's own words, where it gave no numbers."""

    def __init__(self, text: str) -> None:
        super().__init__("message", 0, 0, text)

    def __str__(self) -> str:
        return self.remedy
