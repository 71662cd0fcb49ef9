"""A handler: how it is called, and how often it was."""

from businessworker.handler import Handler


async def asynchronous(client_id: str, message: str) -> None:
    """Be awaited."""


def test_a_handler_names_itself_and_counts() -> None:
    """Its repr says what it is and how often it ran."""
    handler = Handler("on_message", asynchronous, "on_message of app")
    handler.handled += 2
    assert repr(handler) == "<Handler on_message of app, async def: 2 handled, 0 failed>"
