"""The metrics of CONNMIX's API."""

from gateway.admin.connmix_metrics import CONNMIX_MEASURES
from tests.gateway.admin.core import gateway
from tests.gateway.admin.talking import speaking


async def test_requests_errors_and_events_are_counted() -> None:
    """Each method and number is there from the start, with 0."""
    async with speaking() as connmix, connmix.talk() as talk:
        browser = await connmix.core.browser()
        await talk.ask("queue.pop", ["foo"])
        await talk.ask("queue.pop", ["foo"])
        connmix.push(browser, {"a": 1})
        await talk.next()
        async with connmix.session.get("/metrics") as answer:
            lines = (await answer.text()).splitlines()

    name = "gatewayworker_gateway_connmix_"
    assert f"{name}connections 1.0" in lines
    assert f'{name}requests_total{{method="queue.pop"}} 2.0' in lines
    assert f'{name}requests_total{{method="mesh.send"}} 0.0' in lines
    assert f'{name}errors_total{{code="202"}} 1.0' in lines
    assert f'{name}errors_total{{code="401"}} 0.0' in lines
    assert f"{name}events_total 1.0" in lines


async def test_where_it_is_not_served_nothing_is_counted() -> None:
    """Dashboards of all gateways may ask for the same names."""
    async with gateway() as core:
        read = {each.name: each.read(core.sources()) for each in CONNMIX_MEASURES}

    assert read == {
        "connmix_connections": 0,
        "connmix_requests": {},
        "connmix_errors": {},
        "connmix_events": 0,
        "connmix_unwritable": 0,
    }
