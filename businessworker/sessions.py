"""The worker's copy of a client's session, and what a handler did to it.

A copy is what the gateway last said, with the worker's own patches that the gateway has not yet taken
laid over it: so a client's next event sees what the last one wrote, whatever is on the way. Copies
are values: a change makes a new one, and a handler on a thread keeps the one that its event began with.

Values are kept packed, key by key. That is small while a client is idle, tells a change by comparing
bytes, and a handler that keeps a nested list for later cannot change the session with it. Nothing here
knows links or handlers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Final

import msgpack

from gateway_wire.commands import PatchSession
from gateway_wire.commands.sessions import check_session
from gateway_wire.errors import MessageTooLarge
from gateway_wire.limits import MAX_SESSION

__all__ = ["NO_SESSION", "OpenSession", "Patch", "SessionCopy"]

_packer: Final = msgpack.Packer(autoreset=True, use_bin_type=True)
_pack: Final = _packer.pack
# As for frames, one packer serves all threads: it runs no Python code on plain values.


def _unpack(packed: bytes) -> Any:
    return msgpack.unpackb(packed, strict_map_key=False)


class Patch:
    """What one handler changed.

    Attributes:
        changed: Packed values by key.
        removed: Keys that are gone.
    """

    __slots__ = ("changed", "removed")

    def __init__(self, changed: dict[Any, bytes], removed: list[Any]) -> None:
        self.changed = changed
        self.removed = removed

    def __repr__(self) -> str:
        return f"<Patch of {[*self.changed]}, without {self.removed}>"

    def over(self, packed: Mapping[Any, bytes]) -> dict[Any, bytes]:
        """Return what a session becomes by it."""
        result = {**packed, **self.changed}
        for key in self.removed:
            result.pop(key, None)
        return result

    def command(self, client_id: str) -> PatchSession:
        """Return it as the gateway takes it."""
        changed = {key: _unpack(value) for key, value in self.changed.items()}
        return PatchSession(client_id, changed, self.removed)


class SessionCopy:
    """A session as the worker knows it; never changed.

    Args:
        base: Packed values by key, as the gateway has them without `patches`.
        patches: Own patches that the gateway has not answered, in the order they were sent.
    """

    __slots__ = ("_base", "_patches")

    def __init__(self, base: Mapping[Any, bytes], patches: tuple[Patch, ...] = ()) -> None:
        self._base = base
        self._patches = patches

    def __repr__(self) -> str:
        return f"<SessionCopy of {[*self.packed()]}, {len(self._patches)} patches on the way>"

    def renewed(self, session: Mapping[Any, Any]) -> SessionCopy:
        """Return the copy after the gateway said what the session is.

        The gateway has said so before it saw the patches that are on the way.
        """
        if not session and not self._patches:
            return NO_SESSION
        packed = {key: _pack(value) for key, value in session.items()}
        return SessionCopy(packed, self._patches)

    def patched(self, patch: Patch) -> SessionCopy:
        """Return the copy after a patch was sent."""
        return SessionCopy(self._base, (*self._patches, patch))

    def settled(self, patch: Patch, *, taken: bool) -> SessionCopy:
        """Return the copy after the gateway has taken a patch, or refused it."""
        base = patch.over(self._base) if taken else self._base
        patches = tuple(each for each in self._patches if each is not patch)
        return SessionCopy(base, patches) if base or patches else NO_SESSION

    def packed(self) -> Mapping[Any, bytes]:
        """Return what handlers see, packed values by key."""
        packed = self._base
        for patch in self._patches:
            packed = patch.over(packed)
        return packed


NO_SESSION: Final = SessionCopy({})
"""What every client without a session shares."""


class OpenSession(MutableMapping[Any, Any]):
    """A session while a handler runs: values are unpacked when they are first looked at.

    Args:
        copy: What the event began with.
    """

    __slots__ = ("_packed", "_values")

    def __init__(self, copy: SessionCopy) -> None:
        self._packed = copy.packed()
        self._values: dict[Any, Any] = dict.fromkeys(self._packed, _UNSEEN)

    def __repr__(self) -> str:
        return repr(dict(self))

    def __getitem__(self, key: Any) -> Any:
        value = self._values[key]
        if value is _UNSEEN:
            value = self._values[key] = _unpack(self._packed[key])
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        self._values[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._values[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __reversed__(self) -> Iterator[Any]:
        return iter(reversed(self._values))

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def popitem(self) -> tuple[Any, Any]:
        """Remove the key that came last, as dicts do, and return it with its value."""
        if not self._values:
            raise KeyError("popitem(): the session is empty")
        key = next(reversed(self._values))
        return key, self.pop(key)

    def changes(self) -> Patch | None:
        """Compare with what the event began with; None if it is the same.

        Raises:
            TypeError: A value is of a type that sessions do not hold; the message names its place.
            ValueError: A value is out of bounds, or the session has become too large.
        """
        seen = {key: value for key, value in self._values.items() if value is not _UNSEEN}
        check_session(seen)
        before = self._packed
        changed: dict[Any, bytes] = {}
        for key, value in seen.items():
            packed = _pack(value)
            if packed != before.get(key):
                changed[key] = packed
        removed = [key for key in before if key not in self._values]
        if not changed and not removed:
            return None
        patch = Patch(changed, removed)
        _check_size(patch.over(before))
        return patch


_UNSEEN: Final = object()


def _check_size(packed: Mapping[Any, bytes]) -> None:
    """Refuse what no gateway would take, counting as it counts."""
    size = len(_packer.pack_map_header(len(packed)))
    size += sum(len(_pack(key)) + len(value) for key, value in packed.items())
    if size > MAX_SESSION:
        raise MessageTooLarge("session", size, MAX_SESSION, "store a key to it")
