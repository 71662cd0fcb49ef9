"""The shapes an answer can have, and how the parts of a long one become whole.

An answer is one value of one of these shapes. A long one travels in parts, each of the same
shape; :meth:`ReplyShape.extend` joins a further part to what came before. The client joins the
answers of several gateways by the same rule where that is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = [
    "ALL_SHAPES",
    "COUNT",
    "COUNTS",
    "FLAG",
    "LIST",
    "LISTS",
    "NOTHING",
    "QUEUES",
    "SESSION",
    "SESSIONS",
    "TEXT",
    "ReplyShape",
]


class ReplyShape:
    """One shape of an answer.

    Attributes:
        name: Its name in documents.
        text: One sentence on what the value is.
    """

    __slots__ = ("_extend", "_types", "name", "text")

    def __init__(
        self,
        name: str,
        text: str,
        types: tuple[type, ...],
        extend: Callable[[Any, Any], None] | None = None,
    ) -> None:
        self.name = name
        self.text = text
        self._types = types
        self._extend = extend

    def __repr__(self) -> str:
        return f"<ReplyShape {self.name}>"

    @property
    def in_parts(self) -> bool:
        """Whether a long answer of this shape may travel in parts."""
        return self._extend is not None

    def fits(self, value: object) -> bool:
        """Return whether a value that arrived is of this shape (its elements are trusted)."""
        return type(value) in self._types

    def extend(self, whole: object, part: object) -> None:
        """Join a further part to what came before, in place.

        Raises:
            TypeError: If answers of this shape do not come in parts.
        """
        if self._extend is None:
            msg = f"an answer of shape {self.name} does not come in parts"
            raise TypeError(msg)
        self._extend(whole, part)


def _extend_lists(whole: dict[str, list[str]], part: dict[str, list[str]]) -> None:
    for key, names in part.items():
        if key in whole:
            whole[key].extend(names)
        else:
            whole[key] = names


def _add_counts(whole: dict[str, int], part: dict[str, int]) -> None:
    for key, count in part.items():
        whole[key] = whole.get(key, 0) + count


_NONE: Final = type(None)

NOTHING: Final = ReplyShape("nothing", "nil", (_NONE,))
COUNT: Final = ReplyShape("count", "a number", (int,))
FLAG: Final = ReplyShape("flag", "true or false", (bool,))
TEXT: Final = ReplyShape("text", "a text or nil", (str, _NONE))
LIST: Final = ReplyShape("list", "a list of texts", (list,), list.extend)
LISTS: Final = ReplyShape("lists", "a map of text to a list of texts", (dict,), _extend_lists)
COUNTS: Final = ReplyShape("counts", "a map of text to a number", (dict,), _add_counts)
SESSION: Final = ReplyShape("session", "a map, or nil when the client is offline", (dict, _NONE))
SESSIONS: Final = ReplyShape("sessions", "a map of client id to its session", (dict,), dict.update)
QUEUES: Final = ReplyShape("queues", "a map of topic to a map of numbers", (dict,))

ALL_SHAPES: Final = (NOTHING, COUNT, FLAG, TEXT, LIST, LISTS, COUNTS, SESSION, SESSIONS, QUEUES)
