"""Alive and ready."""

from typing import Any

import pytest

from gateway.admin.health import HEALTH_PATHS, HealthPages
from tests.gateway.admin.core import Core, gateway, register
from tests.gateway.admin.ports import served
from tests.support.links import address_of, bound


async def asked(core: Core, path: str, **headers: str) -> tuple[int, dict[str, Any]]:
    """Give status and body of a health page."""
    routes = HealthPages(core.sources()).routes()
    async with (
        served(routes, open_paths=HEALTH_PATHS, api_key="k") as session,
        session.get(path, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def test_a_process_that_answers_is_alive() -> None:
    """Alive says nothing more than that the loop turns."""
    async with gateway() as core:
        assert await asked(core, "/healthz") == (200, {"status": "ok"})


async def test_a_gateway_that_is_announced_is_ready() -> None:
    """Browsers may be sent here; the registers that hold it are counted."""
    async with gateway() as core:
        registers = {"connected": 1, "lost": 0}
        expected = {"status": "ready", "registers": registers, "workers": 0}
        assert await asked(core, "/readyz") == (200, expected)


async def test_the_reason_why_it_is_not_ready_is_told() -> None:
    """503 takes it out of service, and people see why."""
    async with gateway() as core:
        core.reason = "stopping"
        status, body = await asked(core, "/readyz")
    assert (status, body["status"], body["reason"]) == (503, "not ready", "stopping")


async def test_a_gateway_that_is_full_is_not_ready() -> None:
    """A load balancer should look for another, and people see the numbers."""
    async with register() as (_, address), Core([address], max_connections=1) as core:
        await core.browser()
        core.edge.admit()
        status, body = await asked(core, "/readyz")
    assert (status, body["reason"]) == (503, "not accepting: 1 of 1 sockets are open")


async def test_a_lost_register_shows_and_costs_nothing() -> None:
    """One register of two is not there: ready all the same, but told."""
    with bound() as nobody:
        async with register() as (_, address), Core([address, address_of(nobody)]) as core:
            status, body = await asked(core, "/readyz")
    assert (status, body["registers"]) == (200, {"connected": 1, "lost": 1})


@pytest.mark.parametrize("path", HEALTH_PATHS)
async def test_health_needs_no_key(path: str) -> None:
    """A load balancer of another machine, behind a proxy, gets its answer."""
    async with gateway() as core:
        status, _ = await asked(core, path, **{"X-Forwarded-For": "203.0.113.7"})
    assert status == 200
