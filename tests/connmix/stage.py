"""Where a conversation takes place: a register, gateways and browsers, all real, and who they are now.

What has another value each time (addresses, ids, a browser's key) stands in a step as `known`. The
recording keeps the values of its day, a replay learns its own, and so one becomes the other.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from websockets.sync.client import ClientConnection, connect

from gateway_client import GatewayClient
from tests.support.cluster import gateway, get_json, register
from tests.support.daemons import Daemon
from tests.support.waiting import PATIENCE, eventually

HERE: Final = Path(__file__).parent

FLAGS: Final = (
    "--connmix",
    *("--route", "/chat=queue:foo"),
    *("--route", "/login=entry"),
    *("--entry", "login_entry"),
)
"""Of each gateway: what the clients' README asks of the server's configuration."""

Known = dict[str, str]


class Browser:
    """A page: what it is told and what it says.

    Attributes:
        known: Its client id, the host it called and its handshake's key.
    """

    def __init__(self, socket: ClientConnection, client_id: str) -> None:
        self._socket = socket
        headers = socket.request.headers if socket.request else {}
        self.known: Final = {
            "client": client_id,
            "host": headers["Host"],
            "key": headers["Sec-WebSocket-Key"],
        }

    def __repr__(self) -> str:
        return f"<Browser {self.known['client']}>"

    def send(self, message: str | bytes) -> None:
        """Send a message."""
        self._socket.send(message)

    def receive(self) -> str | bytes:
        """Wait for the next message."""
        return self._socket.recv(PATIENCE)

    def close(self) -> None:
        """Close the page."""
        self._socket.close()


class Stage:
    """A register and one gateway to begin with, which speak CONNMIX.

    Attributes:
        gateways: The gateways, in the order of their start.
        known: Where the register and the first gateway serve HTTP, that one's node id, and the
            version that the register tells.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._register = register("--connmix")
        self.gateways: Final[list[Daemon]] = []

    def __enter__(self) -> Self:
        with self._stack:
            self._stack.enter_context(self._register)
            self._client = self._stack.enter_context(
                GatewayClient(self._register.ready.listen, secret_key="")
            )
            version = get_json(self.register, "/version")["version"]
            known = {"register": self.register, "version": version}
            self.known: Known = known | self.start_gateway()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    @property
    def register(self) -> str:
        """Where the register serves HTTP."""
        return self._register.ready.http

    def start_gateway(self) -> Known:
        """Start one more; give its address and node id."""
        daemon = gateway(self._register, *FLAGS)
        daemon.environment["PYTHONPATH"] = str(HERE)
        self.gateways.append(self._stack.enter_context(daemon))
        nodes = eventually(lambda: self._nodes_with(daemon.ready.http))
        return {"gateway": daemon.ready.http, "node": nodes[daemon.ready.http]}

    def browse(self, path: str, number: int = -1) -> Browser:
        """Connect a browser to a gateway, and wait until the cluster knows it."""
        before = self._clients()
        socket = self._stack.enter_context(
            connect(
                self.gateways[number].ready.ws + path,
                proxy=None,
                compression=None,
                close_timeout=1,
                user_agent_header="Browser",
            )
        )
        (client_id,) = eventually(lambda: self._clients() - before)
        return Browser(socket, client_id)

    def leave(self, browser: Browser) -> None:
        """Close a page, and wait until the cluster knows."""
        browser.close()
        eventually(lambda: browser.known["client"] not in self._clients())

    def until_unattended(self) -> None:
        """Wait until the cluster knows that nobody consumes any queue."""
        eventually(lambda: not self._queued("consumers"))

    def until_empty(self) -> None:
        """Wait until all that was put on queues has been taken."""
        eventually(lambda: not self._queued("waiting", "unacknowledged"))

    def session(self, client_id: str) -> object:
        """Give what a client's session holds."""
        return self._client.get_session(client_id)

    def _clients(self) -> set[str]:
        return set(self._client.get_all_client_id_list())

    def _queued(self, *what: str) -> float:
        queues = self._client.get_all_queues()
        return sum(queue[each] for queue in queues.values() for each in what)

    def _nodes_with(self, http: str) -> Known:
        listed = get_json(self.register, "/v1/nodes")["nodes"]
        nodes = {each["api_server"]: each["id"] for each in listed}
        return nodes if http in nodes else {}
