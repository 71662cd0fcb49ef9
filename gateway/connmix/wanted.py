"""What may be asked for over CONNMIX's API: one small type for each, its values checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = [
    "Call",
    "Ping",
    "Pop",
    "Publish",
    "Send",
    "SetContext",
    "SetContextValue",
    "Subscribe",
    "Unpop",
    "Unsubscribe",
    "Wanted",
]


@dataclass(frozen=True, slots=True)
class Pop:
    """Messages of these topics, from now on."""

    topics: list[str]


@dataclass(frozen=True, slots=True)
class Unpop:
    """No more messages."""


@dataclass(frozen=True, slots=True)
class Ping:
    """A sign of life."""


@dataclass(frozen=True, slots=True)
class Send:
    """A message to one client."""

    client_id: str
    data: str | bytes


@dataclass(frozen=True, slots=True)
class Publish:
    """A message to all that are subscribed to a channel."""

    channel: str
    data: str | bytes


@dataclass(frozen=True, slots=True)
class SetContext:
    """Another context for a client."""

    client_id: str
    context: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SetContextValue:
    """Another value of one key of a client's context."""

    client_id: str
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A client is to get what is published on these channels."""

    client_id: str
    channels: list[str]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """A client is to get it no longer."""

    client_id: str
    channels: list[str]


Call: TypeAlias = SetContext | SetContextValue | Subscribe | Unsubscribe
"""What `conn.call` may want."""

Wanted: TypeAlias = Pop | Unpop | Ping | Send | Publish | Call
"""What a request may want."""
