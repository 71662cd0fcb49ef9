"""A chat with rooms. All of its logic is here and runs in workers.

    businessworker start events

Nothing is kept in this process. Several of them may run side by side, each with its own clients, and a
client moves to another one when its own ends. So who somebody is stands in the connection's session,
and who is in a room is a group: both belong to the gateway that holds the connection.
"""

import json
from typing import Any

from businessworker import session
from gatewayworker import AsyncGateway

LONGEST = 500
"""Characters of a text."""


async def on_message(client_id: str, message: str | bytes) -> None:
    """Do what the page asks for."""
    match parse(message):
        case {"type": "enter", "name": str(name), "room": str(room)} if name and room:
            await leave(client_id)
            await enter(client_id, name[:24], room[:24])
        case {"type": "say", "text": str(text)} if "room" in session:
            await tell({"type": "said", "name": session["name"], "text": text[:LONGEST]})
        case {"type": "who"} if "room" in session:
            await answer({"type": "here", "names": await names()})
        case _:
            await answer({"type": "problem", "text": "Enter a room first."})


async def on_close(client_id: str, reason: object) -> None:
    """Tell the others; the connection is out of its group already."""
    if "room" in session:
        await tell({"type": "left", "name": session["name"]})


async def enter(client_id: str, name: str, room: str) -> None:
    """Let a connection into a room. A name is a claim here: there is no login."""
    session.update(name=name, room=room)
    await AsyncGateway.join_group(client_id, group())
    await tell({"type": "entered", "name": name})


async def leave(client_id: str) -> None:
    """Take a connection out of the room that it is in, if any."""
    if "room" in session:
        await AsyncGateway.leave_group(client_id, group())
        await tell({"type": "left", "name": session["name"]})


async def names() -> list[str]:
    """Ask the gateways for the sessions of all who are in this room."""
    sessions = await AsyncGateway.get_client_sessions_by_group(group())
    return sorted({theirs["name"] for theirs in sessions.values() if "name" in theirs})


async def tell(message: dict[str, str]) -> None:
    """Send to everybody in this room."""
    await AsyncGateway.send_to_group(group(), message)


async def answer(message: dict[str, Any]) -> None:
    """Send to the page that asked."""
    await AsyncGateway.send_to_current_client(message)


def group() -> str:
    """Give the group of the room that this connection is in."""
    return f"room:{session['room']}"


def parse(message: str | bytes) -> object:
    """Read JSON; None where it is none."""
    try:
        return json.loads(message)
    except ValueError:
        return None
