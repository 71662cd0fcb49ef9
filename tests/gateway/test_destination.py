"""Where what clients do goes."""

from __future__ import annotations

from gateway.destination import Nowhere
from gateway_wire.close_codes import CLOSED
from tests.gateway.support import bare, request


def test_what_goes_nowhere_is_for_nobody() -> None:
    """Everybody is let in; messages are counted as discarded by whoever asks."""
    nowhere, ann = Nowhere(), bare("ann")
    assert nowhere.opened(ann, request(), 1.0) is True
    assert nowhere.received(ann, "x", 2.0) is False
    assert nowhere.is_paused(ann) is False
    nowhere.closed(ann, CLOSED.reason(), 3.0)
    assert ann.edge.connection is None
