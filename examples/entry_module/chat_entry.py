"""Runs in the gateway: lets nothing through before the login, and says who speaks."""

import json

from gateway import Conn, mesh, queue


async def on_message(conn: Conn, message: str | bytes) -> None:
    data = json.loads(message)
    if data["type"] == "login":
        # What is no login fails here, where it costs that message and not the consumer.
        login = {"name": str(data["name"]), "password": str(data["password"])}
        await queue.push("logins", login)
        user = await conn.wait_context("user", timeout=5)  # what comes behind waits
        conn.subscribe("room")
        await mesh.publish("room", {"came": user})
    elif "user" in conn.context:
        await mesh.publish("room", {"name": conn.context["user"], "text": data["text"]})
    else:
        conn.close(4001, "log in first")


async def on_close(conn: Conn, reason: object) -> None:
    if "user" in conn.context:
        await mesh.publish("room", {"left": conn.context["user"]})
