"""An entry module as the login in the clients' README needs it: it pushes what the messages say.

After `{"op": "userauth"}` the connection's further messages wait until `user_id` stands in its context.
"""

import json

from gateway import Conn, queue


async def on_message(conn: Conn, message: str | bytes) -> None:
    """Push a message, decoded."""
    data = json.loads(message)
    user = conn.context.get("user_id")
    await queue.push("foo", {"frame": {"type": "text", "data": data}, "uid": user})
    if data["op"] == "userauth":
        await conn.wait_context("user_id")
