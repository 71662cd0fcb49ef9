import asyncio
import signal
from collections.abc import Iterator

import pytest

from gateway_process.signals import Order, listen

NAMES = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = {name: signal.getsignal(getattr(signal, name)) for name in NAMES}
    yield
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)


@pytest.mark.parametrize(
    ("number", "order"),
    [
        (signal.SIGTERM, Order.STOP),
        (signal.SIGINT, Order.STOP),
        (signal.SIGQUIT, Order.DRAIN),
        (signal.SIGHUP, Order.RELOAD),
        (signal.SIGUSR1, Order.RELOAD),
    ],
)
async def test_each_signal_is_its_order(number: signal.Signals, order: Order) -> None:
    """Signals arrive as orders on the loop."""
    orders: asyncio.Queue[Order] = asyncio.Queue()
    listen(orders.put_nowait, lambda: pytest.fail("ended"))
    signal.raise_signal(number)
    assert await orders.get() is order


async def test_second_stop_signal_ends_at_once() -> None:
    """Whatever the first stop signal was, the next one does not wait for the loop."""
    ended: list[bool] = []
    listen(lambda _: None, lambda: ended.append(True))
    signal.raise_signal(signal.SIGQUIT)
    signal.raise_signal(signal.SIGINT)
    assert ended == []
    signal.raise_signal(signal.SIGTERM)
    assert ended == [True]
