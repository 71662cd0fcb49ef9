"""What browsers send over their websockets: handled in a worker, with the ORM.

    DJANGO_SETTINGS_MODULE=config.settings businessworker start board.events

The worker calls `django.setup()` before it imports this, runs `def` handlers on threads, and closes
stale database connections around each of them.
"""

from businessworker import current

from .writing import write


def on_message(client_id: str, message: str | bytes) -> None:
    """Write a message on the board."""
    write(current.uid, message)
