"""Writing on the board, wherever the messages come from: a worker (events.py) or a queue (consume_board)."""

from gatewayworker import Gateway

from .models import BOARD, LONGEST, Message


def write(uid: str | None, message: str | bytes) -> None:
    """Store a message and show it to everybody on the board."""
    # The view `bind` has said who this is; `log_out` has taken it back.
    if uid is None or not isinstance(message, str) or not message.strip():
        return
    stored = Message.objects.create(author_id=int(uid), text=message[:LONGEST])
    Gateway.send_to_group(BOARD, stored.as_push())
