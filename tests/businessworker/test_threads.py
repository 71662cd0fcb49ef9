"""The thread pool: every job runs, a stuck one holds up no other, and threads end."""

import logging
import queue
import threading
from collections.abc import Iterator

import pytest

from businessworker.threads import ThreadPool
from tests.support.waiting import PATIENCE


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    """Give three threads."""
    pool = ThreadPool(3)
    yield pool
    pool.close()


def test_every_job_runs(pool: ThreadPool) -> None:
    """Jobs that come in bursts and one by one all run, on no more threads than there are."""
    done = threading.Semaphore(0)
    threads: set[int] = set()

    def job() -> None:
        threads.add(threading.get_ident())
        done.release()

    for burst in range(200):
        for _ in range(burst % 7):
            pool.put(job)
            if burst % 2:
                assert done.acquire(timeout=PATIENCE)
        if not burst % 2:
            for _ in range(burst % 7):
                assert done.acquire(timeout=PATIENCE)
    assert 1 <= len(threads) <= 3


def test_a_job_that_blocks_lets_the_others_go_on(pool: ThreadPool) -> None:
    """While one job waits, those behind it run on other threads."""
    release, quick, slow = threading.Event(), threading.Event(), threading.Event()

    def blocked() -> None:
        assert release.wait(PATIENCE)
        slow.set()

    pool.put(blocked)
    pool.put(quick.set)
    assert quick.wait(PATIENCE)
    assert not slow.is_set()
    release.set()
    assert slow.wait(PATIENCE)


def test_as_many_jobs_block_as_there_are_threads(pool: ThreadPool) -> None:
    """All threads are put to work, each by the one before it."""
    barrier = threading.Barrier(4)
    for _ in range(3):
        pool.put(lambda: barrier.wait(PATIENCE))
    barrier.wait(PATIENCE)


def test_jobs_wait_while_all_threads_are_held(pool: ThreadPool) -> None:
    """A job beyond the number of threads runs when one of them is free."""
    release, done = threading.Event(), threading.Event()
    held = threading.Barrier(4)

    def hold() -> None:
        held.wait(PATIENCE)
        assert release.wait(PATIENCE)

    for _ in range(3):
        pool.put(hold)
    pool.put(done.set)
    held.wait(PATIENCE)
    assert repr(pool) == "<ThreadPool of 3, 3 busy, 1 jobs wait>"
    assert not done.is_set()
    release.set()
    assert done.wait(PATIENCE)


def test_a_job_that_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The thread goes on with the next job."""
    pool, done = ThreadPool(1), threading.Event()
    pool.put(lambda: int("no number"))
    pool.put(done.set)
    assert done.wait(PATIENCE)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    pool.close()


def test_threads_end_when_the_pool_is_closed() -> None:
    """Sleeping threads end at once; busy ones after their job."""
    pool = ThreadPool(2)
    release, held = threading.Event(), threading.Barrier(3)
    threads: list[threading.Thread] = []

    def job() -> None:
        threads.append(threading.current_thread())
        held.wait(PATIENCE)
        assert release.wait(PATIENCE)

    pool.put(job)
    pool.put(job)
    held.wait(PATIENCE)
    pool.close()
    release.set()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_pool_that_had_no_job_has_no_thread() -> None:
    """An application of `async def` handlers costs no threads."""
    before = threading.active_count()
    pool = ThreadPool(8)
    assert threading.active_count() == before
    assert pool.busy == 0
    pool.close()


def test_threads_do_not_keep_the_process_alive(pool: ThreadPool) -> None:
    """A thread that is stuck in a job does not keep the process from ending."""
    found: queue.Queue[threading.Thread] = queue.Queue()
    pool.put(lambda: found.put(threading.current_thread()))
    assert found.get(timeout=PATIENCE).daemon
