"""What browsers send over their websockets: handled in a worker, with the ORM.

    DJANGO_SETTINGS_MODULE=config.settings businessworker start board.events

The worker calls `django.setup()` before it imports this, runs `def` handlers on threads, and closes
stale database connections around each of them.
"""

from businessworker import current
from gatewayworker import Gateway

from .models import BOARD, LONGEST, Message


def on_message(client_id: str, message: str | bytes) -> None:
    """Store a message and show it to everybody on the board."""
    # The view `bind` has said who this is; `log_out` has taken it back.
    if current.uid is None or not isinstance(message, str) or not message.strip():
        return
    stored = Message.objects.create(author_id=int(current.uid), text=message[:LONGEST])
    Gateway.send_to_group(BOARD, stored.as_push())
