"""An entry module: pushes all on one queue, and lets what comes behind a token wait for its check."""

import json

from gateway import Conn, queue


async def on_message(conn: Conn, message: str | bytes) -> None:
    """Push a message with the user that is known by now."""
    data = json.loads(message)
    await queue.push("chat", {**data, "user_id": conn.context.get("user_id")})
    if "token" in data:
        await conn.wait_context("user_id", timeout=data["patience"])
