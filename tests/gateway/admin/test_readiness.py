"""Readiness of a whole gateway process, from start to stop."""

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.gateway.admin.core import register
from tests.gateway.running import dial_worker, serving_workers, starting
from tests.support.links import address_of, bound


async def test_it_is_not_ready_before_a_register_knows_it() -> None:
    """The port answers while the gateway waits for its register."""
    with bound() as nobody:
        async with starting(address_of(nobody)) as (running, _):
            status, body = await running.readiness()
    assert (status, body["registers"]) == (503, {"connected": 0, "lost": 1})
    assert body["reason"].startswith("starting")


async def test_it_is_ready_when_it_has_started() -> None:
    """A register knows it and browsers are accepted."""
    async with register() as (_, address), starting(address) as (running, start):
        await start
        status, body = await running.readiness()
    assert (status, body["status"]) == (200, "ready")


async def test_it_is_not_ready_while_it_drains() -> None:
    """Browsers that are here may stay, and no more should come."""
    async with register() as (_, address), starting(address) as (running, start):
        await start
        async with connect(running.url):
            drain = asyncio.create_task(running.process.drain())
            status, body = await running.readiness()
        await drain
    assert status == 503
    assert body["reason"].startswith("draining")


async def test_it_is_not_ready_without_the_worker_that_is_required() -> None:
    """Browsers that come all the same are told to try later; with a worker all is well."""
    async with serving_workers(require_worker=True) as (running, dialler):
        status, body = await running.readiness()
        assert (status, body["workers"]) == (503, 0)
        assert body["reason"].startswith("no worker")
        async with connect(running.url) as browser:
            with pytest.raises(ConnectionClosed):
                await browser.recv()
            assert (browser.close_code, browser.close_reason) == (1013, "no_worker")
        await dial_worker(dialler)
        status, body = await running.readiness()
        assert (status, body["workers"]) == (200, 1)
        async with connect(running.url) as browser:
            assert "init" in str(await browser.recv())


async def test_a_worker_is_welcome_where_none_is_required() -> None:
    """Its absence is no obstacle."""
    async with serving_workers() as (running, _):
        status, body = await running.readiness()
    assert (status, body["workers"]) == (200, 0)
