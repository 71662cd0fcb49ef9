"""What a command is: a small typed class, who may send it to whom, and the shape of its reply.

A command travels as ``[code, request_id, options, fields...]``. The class's annotations are
the wire form: their order is the order on the wire, a default makes a field optional, and what
arrives is checked against them before any code sees it. Fields are only ever appended, so a
class accepts fewer fields than it has (defaults) and more than it knows (ignored).
"""

from __future__ import annotations

import inspect
import types
import typing
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from operator import attrgetter
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Final,
    NamedTuple,
    TypeVar,
    cast,
    dataclass_transform,
)

from gateway_wire.errors import ErrorCode, GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway_wire.commands.replies import ReplyShape


__all__ = ["BACKENDS", "Command", "CommandError", "Role", "command"]


class Role(Enum):
    """What a process is on a link; the value is what the wire carries."""

    REGISTER = "register"
    GATEWAY = "gateway"
    WORKER = "worker"
    CLIENT = "client"


BACKENDS: Final = frozenset({Role.CLIENT, Role.WORKER})
"""The roles that push and ask: client libraries, and workers with the same rights."""


class CommandError(GatewayError):
    """One command cannot be executed; the link goes on.

    Attributes:
        code: Why, from the closed catalogue.
        text: A sentence with the remedy.
    """

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return self.text


class Command:
    """Base of all commands.

    Class attributes:
        code: The number on the wire.
        wire_name: The name in documents, logs and metrics: the class name in snake case.
        senders: The roles that may send it.
        receivers: The roles it may be sent to.
        reply: The shape of the answer.
        field_names: Its fields in wire order; ``field_checks`` what each may hold,
            ``field_required`` how many must be there, ``field_any`` whether each may hold anything,
            ``field_values`` reads them all at once.
    """

    __slots__ = ()

    code: ClassVar[int]
    wire_name: ClassVar[str]
    senders: ClassVar[frozenset[Role]]
    receivers: ClassVar[frozenset[Role]]
    reply: ClassVar[ReplyShape]
    field_names: ClassVar[tuple[str, ...]]
    field_checks: ClassVar[tuple[_Check, ...]]
    field_required: ClassVar[int]
    field_any: ClassVar[bool]
    field_values: ClassVar[Callable[[Command], tuple[object, ...]]]

    def to_fields(self) -> tuple[object, ...]:
        """Return the fields in wire order."""
        return type(self).field_values(self)

    @classmethod
    def from_fields(cls, values: Sequence[object]) -> Command:
        """Build the command from what arrived after the frame's first three elements.

        Raises:
            CommandError: ``MALFORMED``, naming the field.
        """
        count = len(values)
        if count < cls.field_required:
            text = f"{cls.wire_name}: field {cls.field_names[count]!r} is missing"
            raise CommandError(ErrorCode.MALFORMED, text)
        if count > len(cls.field_checks):
            values = values[: len(cls.field_checks)]
        misfit = None if cls.field_any else _first_misfit(values, cls.field_checks)
        if misfit is not None:
            text = f"{cls.wire_name}: field {misfit.name!r} must be {misfit.text}"
            raise CommandError(ErrorCode.MALFORMED, text)
        return cls(*values)


class _Check(NamedTuple):
    """What one field may hold.

    Attributes:
        types: The exact types; None for any.
        item: For lists the exact type of each item; None for any.
        name: The field's name.
        text: How documents and errors name its type.
    """

    types: frozenset[object] | None
    item: object
    name: str
    text: str


def _check_of(name: str, annotation: object) -> _Check:
    options = typing.get_args(annotation) if _is_union(annotation) else (annotation,)
    kinds = frozenset(typing.get_origin(option) or option for option in options)
    items = [typing.get_args(each)[0] for each in options if typing.get_origin(each) is list]
    return _Check(
        types=None if Any in kinds else kinds,
        item=items[0] if items and items[0] is not Any else None,
        name=name,
        text=" or ".join(_wire_type(option) for option in options),
    )


def _first_misfit(values: Sequence[object], checks: tuple[_Check, ...]) -> _Check | None:
    """Return the check that its value does not pass; every command that arrives comes by here."""
    for value, check in zip(values, checks):  # noqa: B905 - `strict` would cost a third of it all
        types, item, _, _ = check
        if types is not None and type(value) not in types:
            return check
        if item is not None and value:
            for each in value:  # type: ignore[attr-defined]  # a list, by the types above
                if type(each) is not item:
                    return check
    return None


def _is_union(annotation: object) -> bool:
    return isinstance(annotation, types.UnionType)


def _wire_type(annotation: object) -> str:
    """Return how documents and errors name the type of a field."""
    if typing.get_origin(annotation) is list:
        item = typing.get_args(annotation)[0]
        return "list" if item is Any else f"list of {_wire_type(item)}"
    if typing.get_origin(annotation) is dict:
        return "map"
    return _WIRE_TYPES.get(annotation, "any value")


_WIRE_TYPES: Final[dict[object, str]] = {
    str: "text",
    bytes: "binary",
    int: "integer",
    bool: "boolean",
    types.NoneType: "nil",
}


C = TypeVar("C", bound=type[Command])


@dataclass_transform()
def command(
    code: int,
    *,
    senders: frozenset[Role],
    receivers: frozenset[Role],
    reply: ReplyShape,
) -> Callable[[C], C]:
    """Make a class a command: a slots dataclass that knows its wire form.

    Args:
        code: The number on the wire; never used again for something else.
        senders: The roles that may send it.
        receivers: The roles it may be sent to.
        reply: The shape of the answer.
    """

    def decorate(cls: C) -> C:
        made = cast("C", dataclass(slots=True)(cls))
        hints = inspect.get_annotations(made, eval_str=True)
        parts = fields(cast("Any", made))
        made.code = code
        made.wire_name = _snake_case(made.__name__)
        made.senders, made.receivers, made.reply = senders, receivers, reply
        made.field_names = tuple(part.name for part in parts)
        made.field_checks = tuple(_check_of(part.name, hints[part.name]) for part in parts)
        made.field_required = sum(
            part.default is MISSING and part.default_factory is MISSING for part in parts
        )
        made.field_any = all(check.types is None for check in made.field_checks)
        made.field_values = staticmethod(_values_of(made.field_names))
        return made

    return decorate


def _values_of(names: tuple[str, ...]) -> Callable[[Command], tuple[object, ...]]:
    if not names:
        return lambda _: ()
    if len(names) == 1:
        get_one = attrgetter(names[0])
        return lambda instance: (get_one(instance),)
    return cast("Callable[[Command], tuple[object, ...]]", attrgetter(*names))


def _snake_case(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")
