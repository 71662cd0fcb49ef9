"""The server block that the project ships, in Debian's nginx, with wss and an application beside it."""

import http.client
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import expect

from gateway_client import GatewayClient
from scripts.tree import ROOT
from tests.examples.running import online, push, served, shows
from tests.support.certificates import Certificate
from tests.support.certificates import certificate as make_certificate
from tests.support.cluster import browse, close_code, gateway, register, split
from tests.support.daemons import Daemon
from tests.support.nginx import Nginx, nginx

BEHIND = ("--trusted-proxies", "127.0.0.1")

SHORT = {"proxy_read_timeout 75s;": "proxy_read_timeout 3s;"}
"""The wait of nginx that a test can outlive."""

NewFolder = Callable[[], Path]


@pytest.fixture(scope="module")
def new_folder(tmp_path_factory: pytest.TempPathFactory) -> NewFolder:
    """Give a maker of empty folders."""
    return lambda: tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def certificate(new_folder: NewFolder) -> Certificate:
    """Give a self-signed certificate for 127.0.0.1."""
    return make_certificate(new_folder())


@pytest.fixture(scope="module")
def registers() -> Iterator[Daemon]:
    """Give a running register."""
    with register() as running:
        yield running


@pytest.fixture(scope="module")
def pinging(registers: Daemon) -> Iterator[Daemon]:
    """Give a gateway that pings more often than the short wait of nginx, and compresses."""
    pings = ("--ping-interval", "0.5", "--ping-timeout", "0")
    with gateway(registers, *BEHIND, *pings, "--compression") as running:
        yield running


@pytest.fixture(scope="module")
def application(registers: Daemon) -> Iterator[str]:
    """Serve the Flask example, whose page is told to connect to /ws; give its address."""
    environment = {"GATEWAYWORKER_REGISTER": registers.ready.listen, "GATEWAY_URL": "/ws"}
    command = Daemon(
        *("-m", "flask", "--app", "app", "run", "--port", "0"),
        environment=environment,
        folder=ROOT / "examples/flask",
        launcher=[sys.executable],
    )
    command.launch()
    try:
        yield served(command).removeprefix("http://")
    finally:
        command.kill()


@pytest.fixture(scope="module")
def proxy(
    new_folder: NewFolder, certificate: Certificate, pinging: Daemon, application: str
) -> Iterator[Nginx]:
    """Give nginx in front of the gateway and the application, with a short wait."""
    listener = pinging.ready.ws.removeprefix("ws://")
    with nginx(
        new_folder(), certificate, gateway=listener, application=application, changes=SHORT
    ) as running:
        yield running


@pytest.mark.asyncio(loop_scope="module")
async def test_a_page_is_pushed_to_through_nginx(browser: Chromium, proxy: Nginx) -> None:
    """Application and websocket share one https host: log in, bind, push, log out."""
    context = await browser.new_context(ignore_https_errors=True)
    page = await context.new_page()
    await page.goto(f"https://{proxy.secure}/")
    await page.fill('input[name="name"]', "Ann")
    await page.click("text=Log in")
    await online(page)
    await push(page, "me", "by wss")
    await shows(page, "Ann: by wss")
    await page.click("text=Log out")
    await expect(page.locator("text=Log in")).to_be_visible()


def test_the_plain_port_sends_browsers_to_the_secure_one(proxy: Nginx) -> None:
    """A request by http is answered with the same URL by https."""
    connection = http.client.HTTPConnection(*split(proxy.plain))
    connection.request("GET", "/page?a=1")
    answer = connection.getresponse()
    connection.close()
    assert answer.status == 301
    assert answer.headers["Location"] == "https://127.0.0.1/page?a=1"


def test_compression_is_agreed_through_nginx(
    registers: Daemon, proxy: Nginx, certificate: Certificate
) -> None:
    """Offer and answer pass, and so do compressed messages."""
    url, tls, news = f"wss://{proxy.secure}/ws", certificate.trusted(), "news, " * 200
    with browse(url, tls=tls, compression="deflate") as compressed:
        with GatewayClient(registers.ready.listen) as client:
            assert client.send_to_client(compressed.client_id, news) == 1
        assert compressed.text() == news
        assert [each.name for each in compressed.socket.protocol.extensions] == [
            "permessage-deflate"
        ]


def test_an_idle_connection_outlives_what_cuts_a_silent_one(
    new_folder: NewFolder,
    certificate: Certificate,
    registers: Daemon,
    proxy: Nginx,
) -> None:
    """With pings a browser stays while nginx, by the same wait, cuts unpinged ones twice over."""
    tls = certificate.trusted()
    with browse(f"wss://{proxy.secure}/ws", tls=tls) as idle:
        with gateway(registers, *BEHIND, "--ping-interval", "0") as silent:
            listener = silent.ready.ws.removeprefix("ws://")
            with nginx(new_folder(), certificate, gateway=listener, changes=SHORT) as other:
                for _ in range(2):
                    with browse(f"wss://{other.secure}/ws", tls=tls) as unpinged:
                        assert close_code(unpinged) == 1006
        with GatewayClient(registers.ready.listen) as client:
            client.bind_uid(idle.client_id, "idle")
            assert client.send_to_uid("idle", "still here") == 1
        assert idle.text() == "still here"


@pytest.mark.parametrize(
    "claims", [{}, {"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1"}]
)
def test_the_gateway_knows_the_browsers_address(
    registers: Daemon,
    pinging: Daemon,
    proxy: Nginx,
    certificate: Certificate,
    claims: dict[str, str],
) -> None:
    """It is the one that connected to nginx, whatever the browser claims."""
    with (
        Daemon(
            *("businessworker", "start", "tests.deploy.addresses"),
            *("--register", registers.ready.listen, "--http", "127.0.0.1:0"),
            folder=ROOT,
        ),
        browse(
            f"wss://{proxy.secure}/ws",
            tls=certificate.trusted(),
            source_address=("127.0.0.9", 0),
            additional_headers=claims,
        ) as browser,
    ):
        assert browser.text() == "127.0.0.9"
