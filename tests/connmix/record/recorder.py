"""Records a conversation: the real client on one side of the wiretap, our daemons on the other."""

import itertools
import os
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

from tests.connmix.conversation import Step
from tests.connmix.record.tap import Tap
from tests.connmix.stage import Browser, Known, Stage
from tests.connmix.wire import Names
from tests.support.waiting import PATIENCE, eventually

_PHP: Final = Path(__file__).parent / "php"


class Page:
    """A browser whose every act is a step of the recording."""

    def __init__(self, number: int, browser: Browser, log: list[Step]) -> None:
        self.client_id: Final = browser.known["client"]
        self.number: Final = number
        self._browser, self._log = browser, log

    def send(self, message: str | bytes) -> None:
        """Send a message."""
        if isinstance(message, str):
            self._log.append({"browser": self.number, "sends": message})
        else:
            self._log.append({"browser": self.number, "sends_bytes": message.hex()})
        self._browser.send(message)

    def receive(self) -> str | bytes:
        """Wait for the next message."""
        message = self._browser.receive()
        self._log.append({"browser": self.number, "receives": message})
        return message

    def leave(self, stage: Stage) -> None:
        """Close the page."""
        self._log.append({"browser": self.number, "leaves": True})
        stage.leave(self._browser)


class Script:
    """One of our PHP scripts at work with the client."""

    def __init__(self, command: list[str], environment: dict[str, str], log: list[Step]) -> None:
        self._process = subprocess.Popen(
            command, env=os.environ | environment, stdout=subprocess.PIPE, text=True
        )
        self._log = log
        self.said: Final[list[str]] = []
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def until_said(self, count: int) -> None:
        """Wait until it has said so many lines; each is something that the client told it."""
        eventually(lambda: len(self.said) >= count)

    def ends(self) -> None:
        """Wait for its end."""
        code = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert code == 0, f"{self._process.args!r} ended with {code}: {self.said}"

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._log.append({"says": line.rstrip("\n")})
                self.said.append(line)


class Recorder:
    """A stage behind wiretaps.

    Attributes:
        steps: What has happened so far.
    """

    def __init__(self, stage: Stage, version: str, clients: Path) -> None:
        self.version: Final = version
        self.steps: Final[list[Step]] = []
        self._stage, self._clients = stage, clients
        self._names = Names()
        self._numbers = itertools.count(1)
        self._pages: list[Page] = []
        self._taps = ExitStack()

    def __enter__(self) -> Self:
        self._register = self._tap(self._stage.known["register"])
        self._gateways = [self._tap(self._stage.known["gateway"])]
        return self

    def __exit__(self, *_exception: object) -> None:
        self._taps.close()

    @property
    def is_short(self) -> bool:
        """Whether this client speaks the short keys, and calls it pop."""
        return self.version >= "1.0.5"

    def begin(self, shows: str) -> None:
        """Say what the conversation shows."""
        known = self._tapped(self._stage.known)
        self.steps.append({"shows": shows, "client": self.version, "known": known})

    def script(self, name: str, *arguments: Any, faster: int = 1) -> Script:
        """Start a script; its time may run faster than ours."""
        autoload = self._clients / self.version / "vendor" / "autoload.php"
        clock = ("faketime", "-f", f"+0 x{faster}") if faster > 1 else ()
        command = [*clock, "php", str(_PHP / f"{name}.php"), self._register.address]
        environment = {"CONNMIX_AUTOLOAD": str(autoload)}
        return Script([*command, *map(str, arguments)], environment, self.steps)

    def page(self, path: str = "/chat", gateway: int = -1) -> Page:
        """Open a page."""
        browser = self._stage.browse(path, gateway)
        number = len(self._pages) + 1
        step = {"connects": path, "to": gateway, "known": browser.known}
        self.steps.append({"browser": number, **step})
        self._pages.append(Page(number, browser, self.steps))
        return self._pages[-1]

    def session(self, page: Page) -> None:
        """Write down what a client's session holds."""
        holds = self._stage.session(page.client_id)
        self.steps.append({"session": page.number, "holds": holds})

    def start_gateway(self) -> None:
        """Start one more gateway."""
        known = self._stage.start_gateway()
        self._gateways.append(self._tap(known["gateway"]))
        self.steps.append({"gateway": "starts", "known": self._tapped(known)})

    def cut(self) -> None:
        """Break the client's last connection to the first gateway."""
        self._gateways[0].connections[-1].cut(self.steps.append)
        self._stage.until_unattended()

    def end(self) -> None:
        """Wait until the client is gone, and close the pages."""
        connections = [
            each for tap in (self._register, *self._gateways) for each in tap.connections
        ]
        eventually(lambda: all(each.has_ended for each in connections))
        for page in self._pages:
            page.leave(self._stage)

    def _tap(self, address: str) -> Tap:
        tap = Tap(address, self.steps.append, self._names, lambda: next(self._numbers))
        self._names.bind(address, tap.address)
        self._taps.callback(tap.close)
        return tap

    def _tapped(self, known: Known) -> Known:
        return {what: self._names.translate(value) for what, value in known.items()}
