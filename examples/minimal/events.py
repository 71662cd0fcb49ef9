"""What pages send, handled by a worker: `gateway dev events` in this folder, and app.py beside it."""

from businessworker import current, session
from gatewayworker import Gateway


def on_message(client_id: str, message: str) -> None:
    session["said"] = session.get("said", 0) + 1  # the connection's own dict
    text = f"{current.uid}, {session['said']}: {message}"  # /bind said who this is
    Gateway.send_to_group("news", {"text": text})


def on_close(client_id: str, reason: object) -> None:
    Gateway.send_to_group("news", {"text": f"{current.uid} left"})
