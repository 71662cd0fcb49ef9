"""The Django example's management command as a service runs it: stopped by SIGTERM, started again."""

import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from gateway_client import AsyncGatewayClient
from scripts.tree import ROOT
from tests.support.daemons import DEV_ON_ANY_PORT, Daemon

DJANGO: Final = ROOT / "examples/django"
ADD_ANN: Final = (
    "from django.contrib.auth.models import User; print(User.objects.create(username='Ann').pk)"
)


@pytest.fixture(scope="module")
def dev() -> Iterator[Daemon]:
    """Give a running register and a gateway that puts what browsers send on the queue."""
    with Daemon("gateway", *DEV_ON_ANY_PORT, "--no-demo", "--route", "queue:board") as running:
        yield running


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an empty database with the site's tables, to be copied: making it takes seconds."""
    path = tmp_path_factory.mktemp("migrated") / "db.sqlite3"
    manage({"DATABASE": str(path)}, "migrate", "--verbosity", "0").wait()
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    """Give an empty database with the site's tables."""
    return Path(shutil.copy(migrated, tmp_path))


def manage(environment: Mapping[str, str], *arguments: str) -> Daemon:
    """Begin a command of manage.py."""
    begun = Daemon(
        *("manage.py", *arguments),
        environment={**environment, "PYTHONWARNINGS": ""},
        folder=DJANGO,
        launcher=[sys.executable],
    )
    begun.launch()
    return begun


@contextmanager
def consuming(dev: Daemon, database: Path) -> Iterator[None]:
    """Run the command for the length of a block, then stop it by SIGTERM, which must be clean."""
    register = {"GATEWAYWORKER_REGISTER": dev.ready.register}
    command = manage({"DATABASE": str(database), **register}, "consume_board")
    try:
        yield
        command.stop()
        assert command.stderr == ""
    finally:
        command.kill()


def stored(database: Path) -> list[str]:
    """Give the texts that are in a database."""
    with sqlite3.connect(database) as opened:
        rows = opened.execute("SELECT text FROM board_message ORDER BY id").fetchall()
    opened.close()
    return [text for (text,) in rows]


@asynccontextmanager
async def ann(dev: Daemon, database: Path) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Give a page of a user, bound as the site's views do it."""
    shell = manage({"DATABASE": str(database)}, "shell", "--verbosity", "0", "-c", ADD_ANN)
    uid = shell.line()
    shell.wait()
    async with (
        AsyncGatewayClient(dev.ready.register) as client,
        aiohttp.ClientSession() as http,
        http.ws_connect(dev.ready.ws) as page,
    ):
        client_id = (await page.receive_json())["client_id"]
        assert await client.bind_uid(client_id, uid)
        assert await client.join_group(client_id, "board")
        yield page


async def test_what_is_sent_while_it_is_down_waits(dev: Daemon, database: Path) -> None:
    """SIGTERM ends it with exit code 0; the next one stores what came meanwhile."""
    async with ann(dev, database) as page:
        with consuming(dev, database):
            await page.send_str("first")
            assert (await page.receive_json())["text"] == "first"
        await page.send_bytes(b"no text: passed over")
        await page.send_str("second")
        with consuming(dev, database):
            assert (await page.receive_json())["text"] == "second"
    assert stored(database) == ["first", "second"]


async def test_each_message_meets_a_good_connection_to_the_database(
    dev: Daemon, database: Path
) -> None:
    """A database that is replaced between two messages gets the second one."""
    former = database.with_suffix(".former")
    async with ann(dev, database) as page:
        with consuming(dev, database):
            await page.send_str("before")
            assert (await page.receive_json())["text"] == "before"
            shutil.move(database, former)
            shutil.copy(former, database)
            await page.send_str("after")
            assert (await page.receive_json())["text"] == "after"
    assert stored(former) == ["before"]
    assert stored(database) == ["before", "after"]
