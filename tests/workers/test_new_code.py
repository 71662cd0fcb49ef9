"""A reload is how new code comes to run; code that does not work does not."""

from pathlib import Path

from tests.support.cluster import Browser, browse, gateway, register
from tests.support.daemons import Daemon, run
from tests.support.waiting import eventually
from tests.support.workers import metric

CODE = """
from gateway_client import AsyncGateway

async def on_message(client_id, message):
    await AsyncGateway.send_to_current_client("{answer}")
"""


def reload(serving: Daemon) -> tuple[int, str]:
    """Give the command; give its exit code and what it says on standard error."""
    code, _, stderr = run("businessworker", "reload", f"--run-dir={serving.run_dir}")
    return code, stderr


def answer(browser: Browser) -> str | bytes:
    """Say something, and give what comes back."""
    browser.socket.send("hello")
    return browser.text()


def test_a_reload_runs_the_new_code_if_that_works(tmp_path: Path) -> None:
    """A wrong module is told in full and the old one goes on; a mended one takes over."""
    module = tmp_path / "handlers.py"
    module.write_text(CODE.format(answer="old"))
    with register() as directory, gateway(directory) as door:
        serving = Daemon(
            "businessworker",
            "start",
            "handlers",
            f"--app-dir={tmp_path}",
            f"--register={directory.ready.listen}",
        )
        with serving, browse(door.ready.ws) as browser:
            eventually(lambda: metric(door, "workers") == 1)
            assert answer(browser) == "old"
            module.write_text("import not_installed_here\n")
            code, told = reload(serving)
            assert code == 1
            assert "imports 'not_installed_here'" in told
            assert answer(browser) == "old"
            module.write_text(CODE.format(answer="new"))
            assert reload(serving)[0] == 0
            assert answer(browser) == "new"
