"""What a call is: a value that says what is asked of whom, and what the answers mean.

A method of the client is one plain function here, with its public signature and docstring, that
checks its arguments and returns a `Call`. Nothing is sent: the shells run calls, the pipeline
queues them, the recorder of users' tests keeps them.

Four kinds, by whom they ask:

- `EveryCall`: all gateways, each answering for its own connections;
- `OwnerCall`: the one gateway that holds a connection;
- `OwnersCall`: the gateways that hold some connections, each asked about its own;
- `ReadyCall`: nobody, since the arguments name nobody.

What missing answers mean depends on whether something is *done* or *asked*: what was done on the
other gateways stays done and is counted (`Reached`), half an answer to a question is an error
unless the caller wants it (`PartialResult`). `Call.terms` says which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

from gateway_client.reached import Reached
from gateway_wire.commands import Command
from gateway_wire.commands.replies import ReplyShape

__all__ = [
    "Call",
    "EveryCall",
    "Missing",
    "OwnerCall",
    "OwnersCall",
    "Partial",
    "ReadyCall",
    "added_up",
    "flag",
    "joined",
    "only",
    "reached",
    "united",
]

R = TypeVar("R")

_SMALL: Final = tuple(map(Reached, range(256)))
"""The complete answers that are common, made once, as Python does with its small ints."""

Partial: TypeAlias = Literal["raise", "return"]
"""What a query does when some gateways did not answer: raise `PartialResult`, or return the rest."""


Combine: TypeAlias = Callable[[Sequence[Any]], R]
"""Makes the result of a call from the answers; there are none when nobody had to be asked."""


class Missing(Enum):
    """What it means for a call when a gateway that was to be asked gave no answer."""

    UNCONFIRMED = "it is counted as a loss; an error only if no gateway could be written to"
    COUNTED = "what was done elsewhere stays done: the result is `Reached` and names who is missing"
    STRICT = "an error that carries what was done elsewhere"
    PARTIAL = "an error that carries what the others said"
    KEPT = "what the others said is the result"
    ALL = "an error: no other gateway could have answered"


Terms: TypeAlias = tuple[Combine[R], Missing]
"""What makes the result of a call, and what missing answers mean for it."""


@dataclass(slots=True)
class Call(Generic[R]):
    """What one method call asks.

    Attributes:
        name: The method.
        timeout: Seconds it may take; None for the client object's own.
        confirm: Whether answers are waited for.
        size: Bytes of the message it carries.
    """

    name: str
    timeout: float | None
    confirm: bool = field(default=True, kw_only=True)
    size: int = field(default=0, kw_only=True)

    def terms(self) -> Terms[R]:
        """Return what makes the result of the answers, and what it means when some are missing."""
        raise NotImplementedError


@dataclass(slots=True)
class ReadyCall(Call[R]):
    """A call that needs no gateway.

    Attributes:
        value: Its result.
    """

    value: R

    def terms(self) -> Terms[R]:
        """Return what makes the result."""
        return lambda _: self.value, Missing.COUNTED if self.confirm else Missing.UNCONFIRMED


@dataclass(slots=True)
class OwnerCall(Call[R]):
    """A call to the gateway that holds one connection.

    Attributes:
        command: What it is asked.
        node_key: The key of that gateway in the directory.
        combine: Makes the result from the answer; from none if there is no such gateway, which means
            that the client is offline.
    """

    command: Command
    node_key: str
    combine: Combine[R]

    def terms(self) -> Terms[R]:
        """Return what makes the result, and that there is no half of an answer."""
        return self.combine, Missing.ALL if self.confirm else Missing.UNCONFIRMED


@dataclass(slots=True)
class EveryCall(Call[R]):
    """A call to all gateways.

    Attributes:
        command: What each is asked.
        combine: Makes the result from the answers.
        is_query: Whether something is asked, rather than done.
        strict: For what is done: whether a gateway that is missing is an error.
        partial: For queries: what to do when a gateway is missing.
        alone: Command and combination that ask a single gateway the same at less cost.
    """

    command: Command
    combine: Combine[R]
    is_query: bool = False
    strict: bool = False
    partial: Partial = "raise"
    alone: tuple[Command, Combine[R]] | None = None

    def terms(self) -> Terms[R]:
        """Return what makes the result of the answers, and what it means when some are missing."""
        if self.is_query:
            return self.combine, Missing.KEPT if self.partial == "return" else Missing.PARTIAL
        missing = Missing.STRICT if self.strict else Missing.COUNTED
        return self.combine, missing if self.confirm else Missing.UNCONFIRMED


@dataclass(slots=True)
class OwnersCall(Call[R]):
    """A call to the gateways that hold some connections; unknown ones are left out.

    Attributes:
        owners: The directory key of the owner of each client id.
        make: Makes the command for one gateway from its client ids.
        combine: Makes the result from the answers.
        strict: Whether a gateway that is missing is an error.
    """

    owners: dict[str, str]
    make: Callable[[list[str]], Command]
    combine: Combine[R]
    strict: bool = False

    def terms(self) -> Terms[R]:
        """Return what makes the result of the answers, and what it means when some are missing."""
        missing = Missing.STRICT if self.strict else Missing.COUNTED
        return self.combine, missing if self.confirm else Missing.UNCONFIRMED


# How the answers of one or several gateways become the result.


def flag(answers: Sequence[bool]) -> bool:
    """Return whether the one gateway that was asked said yes."""
    return bool(answers and answers[0])


def only(answers: Sequence[Any]) -> Any:
    """Return what the one gateway that was asked said, None if there was none to ask."""
    return answers[0] if answers else None


def reached(counts: Sequence[int]) -> Reached:
    """Add up how many connections the gateways reached."""
    count = counts[0] if len(counts) == 1 else sum(counts)
    return _SMALL[count] if 0 <= count < len(_SMALL) else Reached(count)


def added_up(counts: Sequence[int]) -> int:
    """Add up counts of connections: a connection is on one gateway."""
    return sum(counts)


def united(lists: Iterable[list[str]]) -> list[str]:
    """Unite lists of names: one uid or group may be on several gateways."""
    return list(dict.fromkeys(name for names in lists for name in names))


def joined(shape: ReplyShape, answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Join maps by the rule that also joins the parts of one long answer."""
    whole: dict[str, Any] = {}
    for answer in answers:
        shape.extend(whole, answer)
    return whole
