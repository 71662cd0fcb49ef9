"""The distribution as users get it: the built wheel in a clean environment.

Editable installs see the whole tree; this is where a file that the wheel lacks, or an import that only
the development environment satisfies, comes to light.
"""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import aiohttp
import pytest

from scripts.layout import PACKAGES
from scripts.tree import ROOT
from tests.support.daemons import DEV_ON_ANY_PORT, Daemon

pytestmark = pytest.mark.timeout(300)  # builds, and installs from the package index


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    pip(Path(sys.executable), "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.glob("gatewayworker-*.whl")
    return built


@pytest.fixture(scope="module")
def client_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the interpreter of an environment with the client alone."""
    return environment(tmp_path_factory.mktemp("client"), str(wheel))


@pytest.fixture(scope="module")
def server_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the interpreter of an environment with the server extra."""
    return environment(tmp_path_factory.mktemp("server"), f"{wheel}[server]")


def environment(folder: Path, requirement: str) -> Path:
    """Make a clean environment with this in it; give its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    pip(python, "install", requirement)
    return python


def pip(python: Path, *arguments: str) -> None:
    """Run pip; on failure show what it said."""
    command: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def run(*command: str | Path, folder: Path) -> tuple[int, str]:
    """Run a command outside the tree; give exit code and output."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_wheel_holds_the_packages_whole_and_nothing_else(wheel: Path) -> None:
    """Each package is there with its types, the demo with its page, and no tests or scripts."""
    names = set(zipfile.ZipFile(wheel).namelist())
    there = {package for package in PACKAGES if (ROOT / package).exists()}
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == there
    assert {f"{package}/py.typed" for package in there} <= names
    assets = ("page.html", "page.js", "page.css", "push.js")
    assert {f"gateway/demo/assets/{asset}" for asset in assets} <= names


def test_the_client_needs_no_server_extra(client_python: Path, tmp_path: Path) -> None:
    """`pip install gatewayworker` is enough to import and use the client library."""
    script = "import sys, gatewayworker; print(gatewayworker.Gateway, 'aiohttp' in sys.modules)"
    code, output = run(client_python, "-c", script, folder=tmp_path)
    assert code == 0, output
    assert output.rstrip().endswith("False")


@pytest.mark.parametrize("command", ["gateway", "register"])
def test_a_command_without_the_extra_names_what_to_install(
    client_python: Path, tmp_path: Path, command: str
) -> None:
    """Without the server extra a daemon's command says which `pip install` is missing."""
    code, output = run(client_python.with_name(command), "start", folder=tmp_path)
    assert code != 0
    assert 'pip install "gatewayworker[server]"' in output
    assert "Traceback" not in output


async def test_gateway_dev_of_the_wheel_carries_a_message(
    server_python: Path, tmp_path: Path
) -> None:
    """Installed from the wheel, `gateway dev` serves the demo, and a push goes through."""
    daemon = Daemon(
        *DEV_ON_ANY_PORT,
        launcher=[str(server_python.with_name("gateway"))],
        folder=tmp_path,
    )
    with daemon as dev:
        jar = aiohttp.CookieJar(unsafe=True)  # the demo has an address for a name
        async with (
            aiohttp.ClientSession(dev.ready.demo, cookie_jar=jar) as demo,
            demo.ws_connect(dev.ready.ws) as socket,
        ):
            client_id = (await socket.receive_json())["client_id"]
            await post(demo, "/login", {"name": "Ann"})
            await post(demo, "/bind", {"client_id": client_id})
            await socket.receive_json()  # who is in the room
            assert await post(demo, "/send", {"to": "uid:Ann", "text": "Hi"}) == {"reached": 1}
            message = await socket.receive_json()
        assert (message["from"], message["text"]) == ("Ann", "Hi")
        dev.stop()


async def post(demo: aiohttp.ClientSession, path: str, body: object) -> object:
    """Post JSON to the demo; give its answer."""
    async with demo.post(path, json=body) as response:
        answer = await response.json()
        assert response.status == 200, json.dumps(answer)
        return answer
