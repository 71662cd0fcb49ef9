"""What a handler sees of the client whose event it handles: `session` and `current`.

Both are one object for the whole process; which client they speak of is found in the context that
the handler runs in, so they may be imported at the top of a module.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from businessworker.invocation import Invocation
from gateway_client.inside import current_client

if TYPE_CHECKING:
    from businessworker.sessions import OpenSession

__all__ = ["Current", "Session", "current", "session"]

_OUTSIDE: Final = (
    "{name} was used outside of an event: it speaks of the client whose event is being handled, in "
    "on_connect, on_websocket_connect, on_message and on_close, and in what they await or run with "
    "asyncio.to_thread; {instead}"
)
_NO_SESSION: Final = "elsewhere use Gateway.get_session and Gateway.update_session with a client id"
_NO_CLIENT: Final = "elsewhere pass on what is needed as an argument"


def _invocation(name: str, instead: str) -> Invocation:
    client = current_client.get()
    if not isinstance(client, Invocation):
        raise RuntimeError(_OUTSIDE.format(name=name, instead=instead))  # noqa: TRY004 - not a wrong value
    return client


class GiveSessionCopyInstead:
    """What C code finds that reads the table of a dict past its methods, as orjson does.

    It cannot be serialized, so that such code fails with this name, and not with a wrong result.
    """

    __slots__ = ()


class Session(dict[Any, Any]):
    """The session of the client whose event is being handled, as a dict.

    What was changed when the handler returns, however deep inside, goes to the gateway: for each
    top-level key the last writer wins, other keys stay. In `on_close` it is what the session was;
    changes there come too late. Outside of an event its use raises `RuntimeError`.

    It is a `dict` for code that asks for one, such as `json.dumps`; but every method is that of
    the client's session, and the dict itself is never read.
    """

    __slots__ = ()

    def __init__(self) -> None:
        # Not empty, because json's encoder in C looks at the size before it asks for `items()`.
        super().__init__(session=GiveSessionCopyInstead())

    def __repr__(self) -> str:
        return repr(_session())

    def __getitem__(self, key: Any) -> Any:
        return _session()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        _session()[key] = value

    def __delitem__(self, key: Any) -> None:
        del _session()[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(_session())

    def __reversed__(self) -> Any:
        return reversed(_session())

    def __len__(self) -> int:
        return len(_session())

    def __contains__(self, key: object) -> bool:
        return key in _session()

    def __eq__(self, other: object) -> bool:
        return bool(_session() == other)

    def __ne__(self, other: object) -> bool:
        return bool(_session() != other)

    __hash__ = None  # as a dict

    def __or__(self, other: Any) -> Any:
        return self.copy() | other

    def __ror__(self, other: Any) -> Any:
        return other | self.copy()

    def __ior__(self, other: Any) -> Any:
        self.update(other)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (self.copy(),)

    def copy(self) -> dict[Any, Any]:
        """Return a plain dict of it, with the same values."""
        return dict(_session())

    def get(self, key: Any, default: Any = None) -> Any:
        """Return a key's value, or the default."""
        return _session().get(key, default)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Return a key's value; if there is none, the default becomes it."""
        return _session().setdefault(key, default)

    def update(self, *args: Any, **values: Any) -> None:
        """Take over the values of a mapping or of pairs, and those given by name."""
        _session().update(*args, **values)

    def pop(self, key: Any, *default: Any) -> Any:
        """Remove a key and return its value, or the default; without one a missing key raises."""
        return _session().pop(key, *default)

    def popitem(self) -> tuple[Any, Any]:
        """Remove the key that came last and return it with its value."""
        return _session().popitem()

    def clear(self) -> None:
        """Remove every key."""
        _session().clear()

    def keys(self) -> Any:
        """Return its keys."""
        return _session().keys()

    def values(self) -> Any:
        """Return its values."""
        return _session().values()

    def items(self) -> Any:
        """Return its keys with their values."""
        return _session().items()


def _session() -> OpenSession:
    return _invocation("session", _NO_SESSION).session()


class Current:
    """The client whose event is being handled. Outside of an event, `RuntimeError`."""

    __slots__ = ()

    def __repr__(self) -> str:
        client = current_client.get()
        return f"<Current client {client.client_id if client else 'of no event'}>"

    @property
    def client_id(self) -> str:
        """Its id."""
        return _invocation("current.client_id", _NO_CLIENT).client_id

    @property
    def uid(self) -> str | None:
        """The uid that it was bound to when the event happened, None if to none."""
        return _invocation("current.uid", _NO_CLIENT).event.uid

    @property
    def remote_addr(self) -> str:
        """The browser's address, or that which a trusted proxy told."""
        return _invocation("current.remote_addr", _NO_CLIENT).lane.remote_addr

    @property
    def remote_port(self) -> int:
        """The browser's port, 0 if a proxy did not tell it."""
        return _invocation("current.remote_port", _NO_CLIENT).lane.remote_port

    @property
    def gateway_addr(self) -> str:
        """The host under which the client's gateway is known in the cluster."""
        return _invocation("current.gateway_addr", _NO_CLIENT).lane.feed.source.gateway_addr

    @property
    def gateway_port(self) -> int:
        """The port of the gateway's listener that the client connected to; 0 if it has none."""
        listener = _invocation("current.gateway_port", _NO_CLIENT).lane.listener
        return urlsplit(listener).port or 0

    @property
    def listener(self) -> str:
        """The URL of that listener."""
        return _invocation("current.listener", _NO_CLIENT).lane.listener


session: Final = Session()
"""The session of the client whose event is being handled."""

current: Final = Current()
"""The client whose event is being handled."""
