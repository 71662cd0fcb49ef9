"""What pages send, handled by a worker: `gateway dev events` in this folder, and app.py beside it."""

from businessworker import current, session
from gatewayworker import Gateway


def on_message(client_id: str, message: str) -> None:
    if current.uid is not None:  # /bind has said who this is
        session["said"] = session.get("said", 0) + 1  # the connection's own dict
        text = f"{current.uid}, {session['said']}: {message}"
        Gateway.send_to_group("news", {"text": text})


def on_close(client_id: str, reason: object) -> None:
    if current.uid is not None:
        Gateway.send_to_group("news", {"text": f"{current.uid} left"})
