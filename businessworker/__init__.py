"""The process that runs an application's `Events`: what browsers do, as calls of the application.

It dials every gateway, takes the events of the clients it is given and runs the application's
handlers: those of one client one after another, different clients side by side.

Handlers import three names from here: `session`, the client's session as a dict; `current`, who and
where the client is; `timer`, with `timer.after` and `timer.every`.
"""

from __future__ import annotations

from businessworker.context import current, session
from businessworker.timers import timer

__all__ = ["current", "session", "timer"]
