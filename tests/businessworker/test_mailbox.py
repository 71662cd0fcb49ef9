"""The mailbox: from any thread onto the loop, in order, with one wake-up per batch."""

import asyncio
import logging
import threading

import pytest

from businessworker.mailbox import Mailbox


async def test_letters_are_opened_on_the_loops_thread_in_their_order() -> None:
    """What one thread posts is called on the loop's thread, first things first."""
    mailbox = Mailbox(asyncio.get_running_loop())
    opened: list[tuple[int, int]] = []
    done = asyncio.Event()

    def post() -> None:
        for number in range(100):
            mailbox.post(lambda n: opened.append((n, threading.get_ident())), number)
        mailbox.post(done.set)

    thread = threading.Thread(target=post)
    thread.start()
    await done.wait()
    thread.join()
    assert opened == [(number, threading.get_ident()) for number in range(100)]


async def test_a_batch_costs_one_wake_up() -> None:
    """Letters posted while others wait share their wake-up; all are opened in one turn."""
    loop = asyncio.get_running_loop()
    wake_ups = []
    ring = loop.call_soon_threadsafe
    loop.call_soon_threadsafe = lambda *args, **more: wake_ups.append(ring(*args, **more))  # type: ignore[method-assign,assignment]
    mailbox = Mailbox(loop)
    opened: list[int] = []
    for number in range(5):
        mailbox.post(opened.append, number)
    await asyncio.sleep(0)
    assert opened == list(range(5))
    assert len(wake_ups) == 1


async def test_a_letter_posted_by_a_letter_waits_for_the_next_turn() -> None:
    """A chain of letters cannot keep the loop from turning."""
    mailbox = Mailbox(asyncio.get_running_loop())
    opened: list[str] = []
    mailbox.post(lambda: mailbox.post(opened.append, "second"))
    mailbox.post(opened.append, "first")
    await asyncio.sleep(0)
    assert opened == ["first"]
    await asyncio.sleep(0)
    assert opened == ["first", "second"]


async def test_a_letter_that_raises_is_logged_and_costs_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The letters behind a failing one are opened all the same."""
    mailbox = Mailbox(asyncio.get_running_loop())
    opened: list[int] = []
    mailbox.post(int, "no number")
    mailbox.post(opened.append, 1)
    await asyncio.sleep(0)
    assert opened == [1]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_after_the_loop_has_closed_letters_go_nowhere() -> None:
    """A thread that outlives the loop may post without an error."""

    async def make() -> Mailbox:
        return Mailbox(asyncio.get_running_loop())

    mailbox = asyncio.run(make())
    mailbox.post(print, "never")
    assert repr(mailbox) == "<Mailbox with 1 letters>"


async def test_it_knows_its_own_thread() -> None:
    """A caller learns whether it runs on the loop's thread already."""
    mailbox = Mailbox(asyncio.get_running_loop())
    elsewhere: list[bool] = []
    thread = threading.Thread(target=lambda: elsewhere.append(mailbox.is_here))
    thread.start()
    thread.join()
    assert mailbox.is_here
    assert elsewhere == [False]
