"""A whole gateway process between browsers and BusinessWorkers of PHP, over real sockets."""

from gateway.php.frames import Command, Frame
from gateway.php.values import unserialize
from gateway_wire.commands import ClientAssigned, ClientMessage
from tests.gateway.php.worker_peer import PhpWorkerPeer, kinds
from tests.gateway.running import browsing, dial_worker, serving_workers
from tests.gateway.support import turns_until

OPENED = [Command.ON_CONNECT, Command.ON_WEBSOCKET_CONNECT]


async def test_a_browser_and_a_php_worker_talk() -> None:
    """The worker learns who it is, how it came and what it says, and answers on the same link."""
    async with serving_workers(php_start_port=0) as (running, _), PhpWorkerPeer(running.php) as php:
        router = running.process.core.router
        await turns_until(lambda: router.workers)
        async with browsing(running, "/chat?room=7") as (browser, client_id):
            connected, opened = await php.told(2)
            number = connected.connection_id

            assert f"{connected.local_ip:08x}{connected.local_port:04x}{number:08x}" == client_id
            assert connected.client_port == browser.local_address[1]
            request = unserialize(opened.body)
            assert isinstance(request, dict)
            assert request["get"] == {"room": "7"}

            await browser.send("ping")
            message = await php.next()
            await php.say(Frame(Command.SEND_TO_ONE, message.connection_id, body=b"pong"))

            assert message.body == b"ping"
            assert await browser.recv() == "pong"
        assert (await php.next()).command == Command.ON_CLOSE
        await turns_until(lambda: not router.unacked)
        assert router.counters.acknowledged == router.counters.entered == 3


async def test_php_workers_and_ours_serve_one_gateway() -> None:
    """Each gets its share of the browsers; one that ends leaves them to the other, with their sessions."""
    async with (
        serving_workers(php_start_port=0) as (running, dialler),
        PhpWorkerPeer(running.php) as php,
    ):
        router = running.process.core.router
        ours = await dial_worker(dialler)
        await turns_until(lambda: router.workers == 2)
        async with browsing(running) as (first, _), browsing(running) as (second, _):
            assert kinds(await php.told(2)) == OPENED
            assigned, connected = await ours.told(2)
            assert isinstance(assigned, ClientAssigned)
            ours.finish(connected.event_id)
            for browser in (first, second):
                await browser.send("who")
            message = await php.next()
            assert message.body == b"who"
            answered = await ours.next()
            assert isinstance(answered[1], ClientMessage)
            session = Frame(Command.SET_SESSION, message.connection_id, b'a:1:{s:1:"n";i:7;}')
            await php.say(session)
            connections = running.process.core.hub.connections
            await turns_until(lambda: any(each.session for each in connections.values()))
            php.close()
            await turns_until(lambda: router.workers == 1)
            for browser in (first, second):
                await browser.send("and now")
            told = await ours.told(3)

            assert [each.session for each in told if isinstance(each, ClientAssigned)] == [{"n": 7}]
            assert sum(isinstance(each, ClientMessage) for each in told) == 2
            ours.finish(answered[1].event_id, *(_ids(told)))
            await turns_until(lambda: not router.unacked)


async def test_a_gateway_that_stops_tells_php_workers_the_last_events() -> None:
    """The ends of its browsers, before their link ends."""
    async with serving_workers(php_start_port=0) as (running, _), PhpWorkerPeer(running.php) as php:
        await turns_until(lambda: running.process.core.router.workers)
        async with browsing(running), browsing(running):
            assert kinds(await php.told(4)) == OPENED * 2
            await running.process.stop()

            assert kinds(await php.ended()) == [Command.ON_CLOSE] * 2


def _ids(told: list[object]) -> list[int]:
    return [each.event_id for each in told if isinstance(each, ClientMessage)]
