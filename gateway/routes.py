"""Routes: which path of the listeners leads where. How they are written, and what contradicts itself.

    queue:chat              every message goes onto the queue `chat`
    /chat=queue:chat        those of connections that asked for the path /chat
    /admin=worker           to business workers;  discard: to nobody;  entry: into the entry module

The first route that matches a connection counts, for as long as the connection lasts. A path matches one
that is the same character for character, as the client sent it: percent-encoded, and `/chat/` is not
`/chat`. It ends where the query begins. Without a path a route matches every connection; devices, which ask
for no path, match no other.

Pure: `gateway.process` makes the destinations that the targets stand for.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final

from gateway.destination import Destination
from gateway.edge.interface import ConnectRequest
from gateway_process.errors import BadValue, SettingsError
from gateway_process.kinds import Kind
from gateway_wire.limits import MAX_ID_LENGTH

__all__ = ["Route", "RouteSetting", "Routes", "Target", "check_routes", "topics_of"]

_QUEUE: Final = "queue:"
_FORM: Final = "write queue:TOPIC, worker, discard or entry, with /path= in front for one path"
_TABLE_FORM: Final = 'write [[route]] with path = "/chat" and to = "queue:chat"'
_NO_PATH: Final = frozenset(" \t?#=,")
"""What a path cannot hold in a request, or not where routes are written in one line; there is %3D and %2C."""


class Target(Enum):
    """Where a route may lead."""

    WORKER = "worker"
    """To business workers, as events."""
    QUEUE = "queue"
    """Onto the queue of a topic."""
    ENTRY = "entry"
    """Into the entry module."""
    DISCARD = "discard"
    """To nobody."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Attributes:
        path: The path that a client must ask for; None for any.
        target: Where what it sends goes.
        topic: The queue's topic; empty for other targets.
    """

    path: str | None
    target: Target
    topic: str = ""

    @classmethod
    def parse(cls, raw: object) -> "Route":
        """Read a route: text as in the module's head, or a table with `to` and perhaps `path`.

        Raises:
            BadValue: It is something else; says which part is wrong.
        """
        if isinstance(raw, Mapping):
            return cls._of_table(raw)
        if not isinstance(raw, str):
            raise BadValue("is no route", _FORM)
        path, target = _split(raw.strip())
        return cls(path, *_target(target, _FORM))

    @classmethod
    def _of_table(cls, table: Mapping[str, object]) -> "Route":
        for key in table:
            if key not in {"path", "to"}:
                raise BadValue(f"has the unknown key {key!r}", _nearest(key, ("path", "to")))
        to = table.get("to")
        if not isinstance(to, str):
            problem = "leads nowhere" if to is None else "has a `to` that is not text"
            raise BadValue(problem, _TABLE_FORM)
        path = table.get("path")
        if not isinstance(path, str | None):
            raise BadValue("has a `path` that is not text", _TABLE_FORM)
        checked = None if path is None else _path(path.strip())
        return cls(checked, *_target(to.strip(), _TABLE_FORM))

    def __str__(self) -> str:
        front = "" if self.path is None else f"{self.path}="
        return f"{front}{_QUEUE}{self.topic}" if self.topic else f"{front}{self.target.value}"

    def matches(self, path: str) -> bool:
        """Tell whether a connection that asked for this path takes the route."""
        return self.path is None or self.path == path


RouteSetting = Annotated[Route, Kind(metavar="[PATH=]TARGET", parse=Route.parse)]
"""The kind of a setting that is a route."""


class Routes:
    """Chooses where what a client does goes.

    Args:
        routes: In the order in which they count.
        destination: Gives what a route's target stands for; asked once for each route.
        otherwise: Where those go that no route matches.
    """

    __slots__ = ("_by_path", "_otherwise")

    def __init__(
        self,
        routes: Iterable[Route],
        destination: Callable[[Route], Destination],
        otherwise: Destination,
    ) -> None:
        self._by_path: dict[str, Destination] = {}
        self._otherwise = otherwise
        for route in routes:
            if route.path is None:  # what stands behind it is never reached
                self._otherwise = destination(route)
                break
            self._by_path.setdefault(route.path, destination(route))

    def __repr__(self) -> str:
        return f"<Routes {len(self._by_path)} paths, otherwise {self._otherwise!r}>"

    def choose(self, request: ConnectRequest) -> Destination:
        """Return where what this client does goes."""
        return self._by_path.get(request.path, self._otherwise)


def topics_of(routes: Iterable[Route]) -> list[str]:
    """Return the topics that routes lead to, each once."""
    return list(dict.fromkeys(route.topic for route in routes if route.topic))


def check_routes(routes: tuple[Route, ...], entry: str, queue_topics: int) -> None:
    """Check what routes say together.

    Args:
        routes: In the order in which they count.
        entry: The name of the entry module; empty for none.
        queue_topics: How many topics there may be.

    Raises:
        SettingsError: One is never reached, needs an entry module that is not there, or keeps one from
            being reached; or there are too many topics.
    """
    _check_reach(routes)
    to_entry = [route for route in routes if route.target is Target.ENTRY]
    if to_entry and not entry:
        remedy = "name it with --entry MODULE"
        raise SettingsError(
            "route", "leads to an entry module, and there is none", remedy, value=str(to_entry[0])
        )
    if entry and not to_entry and any(route.path is None for route in routes):
        last = routes[-1]
        raise SettingsError(
            "entry",
            f"is reached by no route: {last} takes what no other route does",
            "add a route to entry, give that one a path, or leave --entry out",
            value=entry,
        )
    if len(topics := topics_of(routes)) > queue_topics:
        raise SettingsError(
            "queue_topics",
            f"is below the number of topics that routes lead to ({len(topics)})",
            "give as many or more",
            value=queue_topics,
        )


def _check_reach(routes: tuple[Route, ...]) -> None:
    """Refuse routes that stand behind one that takes all that they match."""
    taken: dict[str | None, Route] = {}
    for route in routes:
        before = taken.get(None) or taken.get(route.path)
        if before is not None:
            raise SettingsError(
                "route",
                f"is never reached: {before} stands before it and matches the same",
                "put it before that one, or remove it",
                value=str(route),
            )
        taken[route.path] = route


# How routes are written.


def _split(text: str) -> tuple[str | None, str]:
    """Split `/path=target`; a topic may hold `=`, a path may not."""
    if text.startswith(_QUEUE):
        return None, text
    path, equals, target = text.partition("=")
    if equals:
        return _path(path.strip()), target.strip()
    if text.startswith("/"):
        raise BadValue("leads nowhere", f"write {text}=queue:TOPIC, or what else it leads to")
    return None, text


def _path(path: str) -> str:
    if not path.startswith("/"):
        raise BadValue(f"has the path {path!r}, which does not begin with '/'", f"write /{path}")
    if wrong := next((char for char in path if char in _NO_PATH or not char.isascii()), ""):
        raise BadValue(
            f"has {wrong!r} in its path, which no request has there",
            "give the path alone, percent-encoded as browsers send it",
        )
    return path


def _target(text: str, form: str) -> tuple[Target, str]:
    if text.startswith(_QUEUE):
        return Target.QUEUE, _topic(text.removeprefix(_QUEUE).strip())
    if text == Target.QUEUE.value:
        raise BadValue("names no topic", "write queue:TOPIC, as queue:chat")
    for target in Target:
        if text == target.value:
            return target, ""
    word, colon, topic = text.partition(":")
    if colon and difflib.get_close_matches(word, (Target.QUEUE.value,), 1):
        near = f"did you mean {_QUEUE}{topic}?"
    else:
        near = _nearest(text, [target.value for target in Target], form)
    raise BadValue(f"leads to {text!r}, which is no target", near)


def _topic(topic: str) -> str:
    if not topic:
        raise BadValue("names no topic", "write queue:TOPIC, as queue:chat")
    if len(topic.encode()) > MAX_ID_LENGTH:
        raise BadValue(f"names a topic of more than {MAX_ID_LENGTH} bytes", "give a shorter one")
    return topic


def _nearest(written: str, known: Iterable[str], otherwise: str = "remove it") -> str:
    close = difflib.get_close_matches(written, list(known), n=1)
    return f"did you mean {close[0]}?" if close else otherwise
