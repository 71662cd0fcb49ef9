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
unless the caller wants it (`PartialResult`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

from gateway_client.reached import Reached
from gateway_wire.commands import Command
from gateway_wire.commands.replies import ReplyShape

__all__ = [
    "Call",
    "EveryCall",
    "OwnerCall",
    "OwnersCall",
    "Partial",
    "ReadyCall",
    "added_up",
    "joined",
    "reached",
    "unchanged",
    "united",
]

R = TypeVar("R")

_SMALL: Final = tuple(map(Reached, range(256)))
"""The complete answers that are common, made once, as Python does with its small ints."""

Partial: TypeAlias = Literal["raise", "return"]
"""What a query does when some gateways did not answer: raise `PartialResult`, or return the rest."""


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


@dataclass(slots=True)
class ReadyCall(Call[R]):
    """A call that needs no gateway.

    Attributes:
        value: Its result.
    """

    value: R


@dataclass(slots=True)
class OwnerCall(Call[R]):
    """A call to the gateway that holds one connection.

    Attributes:
        command: What it is asked.
        node_key: The key of that gateway in the directory.
        convert: Makes the result from the answer.
        absent: The result when there is no such gateway: the client is offline.
    """

    command: Command
    node_key: str
    convert: Callable[[Any], R]
    absent: R


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
    combine: Callable[[Sequence[Any]], R]
    is_query: bool = False
    strict: bool = False
    partial: Partial = "raise"
    alone: tuple[Command, Callable[[Sequence[Any]], R]] | None = None


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
    combine: Callable[[Sequence[Any]], R]
    strict: bool = False


# How the answers of several gateways become one.


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


def unchanged(value: Any) -> Any:
    """Return an answer as it is: its shape was checked when it arrived."""
    return value
