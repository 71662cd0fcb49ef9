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
    TypeAlias,
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
            ``field_required`` how many must be there, ``field_count`` how many there are,
            ``field_types`` their types, none if each may hold anything.
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
    field_count: ClassVar[int]
    field_types: ClassVar[tuple[_Kind, ...]]

    def to_fields(self) -> tuple[object, ...]:
        """Return the fields in wire order."""
        raise NotImplementedError("the decorator gives each command its own")

    @classmethod
    def from_fields(cls, values: Sequence[object]) -> Command:
        """Build the command from what arrived after the frame's first three elements.

        Raises:
            CommandError: ``MALFORMED``, naming the field.
        """
        count = len(values)
        if count != cls.field_count:
            if count < cls.field_required:
                text = f"{cls.wire_name}: field {cls.field_names[count]!r} is missing"
                raise CommandError(ErrorCode.MALFORMED, text)
            values = values[: cls.field_count]
        if cls.field_types and not _fit(values, cls.field_types):
            raise cls._misfit(values)
        return cls(*values)

    @classmethod
    def _misfit(cls, values: Sequence[object]) -> CommandError:
        for value, kind, check in zip(values, cls.field_types, cls.field_checks, strict=False):
            if not _fit((value,), (kind,)):
                text = f"{cls.wire_name}: field {check.name!r} must be {check.text}"
                return CommandError(ErrorCode.MALFORMED, text)
        raise AssertionError("it is asked only when a value does not fit")


_Kind: TypeAlias = tuple[frozenset[object] | None, object]
"""Of one field the exact types, and for lists the exact type of each item; None for any."""


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


def _fit(values: Sequence[object], kinds: tuple[_Kind, ...]) -> bool:
    """Return whether all values are as they must be; every command that arrives comes by here."""
    for value, (allowed, item) in zip(values, kinds):  # noqa: B905 - `strict` would cost a third
        if allowed is not None and type(value) not in allowed:
            return False
        if item is not None and value:
            for each in value:  # type: ignore[attr-defined]  # a list, by the types above
                if type(each) is not item:
                    return False
    return True


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
        made.field_count = len(parts)
        kinds = tuple((check.types, check.item) for check in made.field_checks)
        made.field_types = kinds if any(allowed is not None for allowed, _ in kinds) else ()
        made.to_fields = _fields_of(made.field_names)  # type: ignore[assignment]
        return made

    return decorate


def _fields_of(names: tuple[str, ...]) -> Callable[[Command], tuple[object, ...]]:
    """Make the `to_fields` of a command."""
    if not names:
        return lambda _: ()
    get = attrgetter(*names)
    if len(names) == 1:
        return lambda command: (get(command),)
    return lambda command: get(command)  # an attrgetter is no method  # noqa: PLW0108


def _snake_case(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")
