"""`manage.py consume_board`: what browsers send, taken from a queue in a process of yours.

    gateway start --route queue:board
    python manage.py consume_board

It runs until SIGTERM or Ctrl-C, as a service of its own; as many as you like share the work.
"""

import signal

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from gatewayworker import Gateway

from ...writing import write


class Command(BaseCommand):
    """Consumes the topic `board`."""

    help = "Store what browsers write on the board, and show it to everybody there."

    def handle(self, *args: object, **options: object) -> None:
        with Gateway.consume("board", name="consume_board") as consumer:
            # The message in hand is finished and acknowledged; then the loop ends.
            signal.signal(signal.SIGTERM, lambda *_: consumer.close())
            for message in consumer:
                close_old_connections()  # as before a request: the last message may be hours ago
                write(message.uid, message.data["frame"]["data"])
