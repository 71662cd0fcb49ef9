"""What a browser may order a handler to do, for applications that try everything.

A message `{"do": NAME, "args": [...]}` is an order. Its result goes back as `{"result": ...}`, what it
raises as `{"error": ...}`. The orders here are the same for handlers of every kind.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from businessworker import current, session, timer
from gateway_client import Gateway
from tests.support.workers import note

me: Final[dict[str, Any]] = {}
"""Which worker process this is; filled at its start."""


def is_order(message: str | bytes) -> bool:
    """Tell an order from a message that is only sent back."""
    return isinstance(message, str) and message.startswith("{")


def answer(result: Any = None, error: Exception | None = None) -> str:
    """Say what came of an order."""
    if error is not None:
        return json.dumps({"error": f"{type(error).__name__}: {error}"})
    return json.dumps({"result": result}, default=sorted)


def started(worker: Any, kind: str) -> None:
    """Remember who this is."""
    me.update(name=worker.name, id=worker.id, kind=kind)
    note("on_worker_start", name=worker.name, id=worker.id)


def stopped(worker: Any) -> None:
    """Tell that it ends."""
    note("on_worker_stop", name=worker.name, id=worker.id)


def connected(client_id: str) -> None:
    """Tell of a browser."""
    note("on_connect", client_id=client_id, current=current.client_id)
    session["seen"] = ["on_connect"]


def upgraded(client_id: str, request: Any) -> None:
    """Tell how it came."""
    note(
        "on_websocket_connect",
        client_id=client_id,
        path=request.path,
        query=request.query,
        headers=dict(request.headers),
        cookies=request.cookies,
        remote_addr=request.remote_addr,
    )
    session["seen"].append("on_websocket_connect")


def closed(client_id: str, reason: Any) -> None:
    """Tell how it went, and what its session was."""
    note(
        "on_close",
        client_id=client_id,
        current=current.client_id,
        uid=current.uid,
        reason=[reason.code, reason.name, reason.text],
        session=session.copy(),
    )


def _who() -> dict[str, Any]:
    return me


def _current() -> dict[str, Any]:
    names = ("client_id", "uid", "remote_addr", "remote_port", "listener")
    return {name: getattr(current, name) for name in (*names, "gateway_addr", "gateway_port")}


def _edit() -> None:
    session["cart"]["items"].append(9)
    del session["draft"]
    session.update(name="Ann", visits=session.get("visits", 0) + 1)


def _set_and_raise() -> None:
    session["kept"] = True
    raise ValueError("after a change")


def _unkeepable() -> None:
    session["kept"] = False
    session["set"] = {1, 2}


def _after() -> None:
    timer.after(0.01, ring, current.client_id, "after")
    timer.after(0.01, ring, current.client_id, "cancelled").cancel()


def _every() -> None:
    left = iter(("every 1", "every 2", "last"))

    def beat(client_id: str) -> None:
        text = next(left)
        if text == "last":
            beating.cancel()
        ring(client_id, text)

    beating = timer.every(0.01, beat, current.client_id)


def ring(client_id: str, text: str) -> None:
    """Tell a browser from a timer, where neither `session` nor `current` is to be had."""
    try:
        session["a"] = 1
    except RuntimeError as error:
        text += f": {error}"
    Gateway.send_to_client(client_id, text)


def _outside() -> None:
    timer.after(0, _send_outside, current.client_id)


def _send_outside(client_id: str) -> None:
    try:
        Gateway.send_to_current_client("nobody")
    except RuntimeError as error:
        Gateway.send_to_client(client_id, str(error))


ORDERS: Final[dict[str, Callable[..., Any]]] = {
    "who": _who,
    "current": _current,
    "session": session.copy,
    "set": session.update,
    "edit": _edit,
    "set and raise": _set_and_raise,
    "unkeepable": _unkeepable,
    "after": _after,
    "every": _every,
    "outside": _outside,
}
"""Orders that wait for nothing."""
