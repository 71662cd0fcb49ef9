"""Every setting of a gateway, declared once; flags, variables, file keys and `--help` derive from it.

The defaults are the ones of the design; each limit says what it protects. What concerns several
settings together is checked here, so that a wrong combination is told before anything starts.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.routes import RouteSetting, check_routes
from gateway.schemes import PLAIN, check_scheme, wants_tls
from gateway.workers import Routing
from gateway_process.addresses import ListenUrl
from gateway_process.errors import SettingsError
from gateway_process.kinds import ModuleName, Network, Seconds, Size
from gateway_process.settings import setting
from gateway_process.shared import MemberSettings
from gateway_wire.addresses import HIGHEST_PORT, Address
from gateway_wire.limits import DEFAULT_MAX_MESSAGE, MAX_MESSAGE_CEILING

__all__ = ["GatewaySettings"]

DEFAULT_LISTEN: Final = ListenUrl(PLAIN, Address("0.0.0.0", 7272))
DEFAULT_HTTP: Final = Address("127.0.0.1", 6789)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings(MemberSettings):
    """What a gateway can be told."""

    listen: tuple[ListenUrl, ...] = setting(
        (DEFAULT_LISTEN,),
        "Where browsers connect, ws:// or wss:// (with --certfile and --keyfile), and devices: text://,"
        " frame:// or module:Class:// for a protocol of yours, with +tls before :// for TLS.",
    )
    route: tuple[RouteSetting, ...] = setting(
        (),
        "Where what browsers send goes: queue:TOPIC, worker, entry or discard; with /path= in front for"
        " those that connect there. The first that matches counts, for whoever connects from then on."
        " What none matches goes to the entry module if there is one, else to workers.",
        hot=True,
    )
    entry: ModuleName = setting(
        "",
        "A module of yours that runs in the gateway and is asked first: on_handshake, on_message,"
        " on_close. A reload imports it anew.",
    )
    entry_timeout: Seconds = setting(
        5.0,
        "Time that the entry module may take for one message, waiting for a context value or for room"
        " on a queue not counted.",
        minimum=0.1,
        hot=True,
    )
    app_dir: Path = setting(
        Path(),
        "The folder that modules of --entry and of --listen module:Class:// are in.",
        metavar="FOLDER",
    )
    processes: int = setting(
        1,
        "Gateway processes that share the listeners; about one per core.",
        minimum=1,
        maximum=512,
    )
    advertise: str = setting(
        "auto",
        "The host under which others dial this gateway: an IPv4 or IPv6 address or a name; 'auto' is"
        " the local address of the way to the register.",
        aliases=("lan_ip",),
        metavar="HOST",
    )
    advertise_bind: str = setting(
        "",
        "The host that is listened on for them, where a container or NAT makes it differ.",
        aliases=("lan_bind",),
        metavar="HOST",
    )
    start_port: int = setting(
        2900,
        "Port of the first process's internal listener; process i has this plus i. 0: any free.",
        minimum=0,
        maximum=HIGHEST_PORT,
    )
    php_start_port: int | None = setting(
        None,
        "Serve clients and workers of GatewayWorker (PHP) in their own protocol, and hand out client ids"
        " in its form: port of the first process's listener for them; process i has this plus i. 0: any"
        " free.",
        minimum=0,
        maximum=HIGHEST_PORT,
    )
    http: Address = setting(
        DEFAULT_HTTP,
        "Where health, metrics and the HTTP API are served; process i has this port plus i.",
    )
    certfile: Path | None = setting(
        None, "Certificate chain in PEM for listeners with TLS; a reload reads it anew."
    )
    keyfile: Path | None = setting(None, "Private key of the certificate, in PEM.")
    ping_interval: Seconds = setting(
        25.0,
        "Time between two pings to a browser, which also keep proxies from closing; 0: none.",
        minimum=0,
    )
    ping_timeout: Seconds = setting(
        20.0,
        "Time after a ping in which something must be heard, else the browser is gone; 0: any.",
        minimum=0,
    )
    ping_data: str = setting(
        "", "A message also sent to each browser every ping interval; pages cannot see pings."
    )
    init_message: bool = setting(
        True, "Tell each browser its client_id as soon as it is connected; devices are not told."
    )
    routing: Routing = setting(
        Routing.LEAST_CONNECTIONS,
        "How the worker that gets a browser's events is chosen at its first one: that with the fewest"
        " browsers of this process, or any.",
    )
    require_worker: bool = setting(
        False,
        "Close browsers (1013) while no business worker is there, and be not ready; else they are"
        " served without.",
    )
    bind_timeout: Seconds = setting(
        0.0,
        "Close browsers (3502) that have no uid after this time; 0: never.",
        minimum=0,
    )
    queue_messages: int = setting(
        10_000,
        "Messages that a queue holds, those that consumers have not acknowledged included; browsers that"
        " send more are not read until there is room.",
        minimum=1,
        hot=True,
    )
    queue_bytes: Size = setting(
        16 * 1024 * 1024,
        "Their bytes, with what the gateway itself needs for each.",
        minimum=1,
        hot=True,
    )
    queue_topics: int = setting(
        100, "Queues that a process holds at the most.", minimum=1, hot=True
    )
    queue_tries: int = setting(
        5,
        "Times that a message is given to consumers; one that none acknowledges moves to the queue dead:"
        " and the topic.",
        minimum=1,
        hot=True,
    )
    connmix: bool = setting(
        False,
        "Serve CONNMIX's API on the HTTP port, hand out client ids in its decimal form, and send no init"
        " messages.",
    )
    handshake_timeout: Seconds = setting(
        10.0, "Time in which a browser must finish its handshake.", minimum=0.1
    )
    max_connections: int = setting(
        0,
        "Browsers a process holds before it stops accepting; 0: as many as its limit of open files"
        " allows.",
        minimum=0,
    )
    max_message: Size = setting(
        DEFAULT_MAX_MESSAGE,
        "Largest message, to or from a browser.",
        minimum=1,
        maximum=MAX_MESSAGE_CEILING,
    )
    send_buffer: Size = setting(
        2 * 1024 * 1024,
        "Bytes that may wait for a browser that does not read; then it is cut (3000).",
    )
    send_buffer_total: Size = setting(
        256 * 1024 * 1024,
        "Bytes that may wait for all browsers of a process; then the fullest are cut first.",
    )
    flush_interval: Seconds = setting(
        0.0,
        "Time messages wait to leave together; 0: those that one turn of the loop brought.",
        minimum=0,
        maximum=1,
    )
    compression: bool = setting(
        False,  # as in ws, uWebSockets and Centrifugo; docs/decisions/deflate.md
        "Agree to permessage-deflate where browsers offer it, for those that connect from then on. It"
        " pays for broadcasts of 1 KB and more. It costs CPU for each different message, and browsers"
        " then compress all they send.",
        hot=True,
    )
    trusted_proxies: tuple[Network, ...] = setting(
        (),
        "Proxies whose X-Forwarded-For or Forwarded header names the browser's real address.",
    )
    drain: Seconds = setting(
        5.0,
        "Time over which a stop closes the browsers, so that they do not all come back at once.",
        minimum=0,
        hot=True,
    )
    drain_deadline: Seconds = setting(
        3600.0, "How long a graceful stop waits for browsers to leave.", minimum=0, hot=True
    )

    @property
    def says_client_id(self) -> bool:
        """Whether browsers are told their client id; clients of CONNMIX would take it for a message."""
        return self.init_message and not self.connmix

    @property
    def drain_limit(self) -> float:
        """Seconds after which a graceful stop waits for no browser any more and is a plain stop."""
        return self.drain_deadline

    def __post_init__(self) -> None:
        """Check what concerns several settings together."""
        self._check_listeners()
        self._check_pings()
        self._check_sizes()
        self._check_ports()
        self._check_client_ids()
        check_routes(self.route, self.entry, self.queue_topics)
        if self.drain >= self.stop_timeout:
            raise SettingsError(
                "drain",
                f"is not below stop_timeout ({self.stop_timeout:g} s), which would cut it short",
                "give less, or a longer --stop-timeout",
                value=self.drain,
            )

    def _check_listeners(self) -> None:
        for url in self.listen:
            check_scheme(url)
        if self.needs_certificate and not (self.certfile and self.keyfile):
            missing = "keyfile" if self.certfile else "certfile"
            scheme = next(url.scheme for url in self.listen if wants_tls(url))
            raise SettingsError(
                missing, f"is missing for a {scheme}:// listener", "give --certfile and --keyfile"
            )

    def _check_pings(self) -> None:
        if self.ping_interval and self.ping_timeout > self.ping_interval:
            raise SettingsError(
                "ping_timeout",
                f"is longer than ping_interval ({self.ping_interval:g} s), so that the next ping"
                " would hide the missing answer",
                "give as much or less",
                value=self.ping_timeout,
            )

    def _check_sizes(self) -> None:
        if self.send_buffer < self.max_message:
            raise SettingsError(
                "send_buffer",
                f"is below max_message ({self.max_message}), so one message could not wait",
                "give at least max_message",
                value=self.send_buffer,
            )
        if self.send_buffer_total < self.send_buffer:
            raise SettingsError(
                "send_buffer_total",
                f"is below send_buffer ({self.send_buffer})",
                "give at least send_buffer",
                value=self.send_buffer_total,
            )

    def _check_client_ids(self) -> None:
        if self.connmix and self.php_start_port is not None:
            raise SettingsError(
                "php_start_port",
                "and connmix each want client ids of their own form, and a gateway hands out one",
                "start another gateway for one of them",
                value=self.php_start_port,
            )

    def _check_ports(self) -> None:
        firsts = {
            "start_port": self.start_port,
            "php_start_port": self.php_start_port,
            "http": self.http.port,
        }
        for name, first in firsts.items():
            if first and first + self.processes - 1 > HIGHEST_PORT:
                raise SettingsError(
                    name,
                    f"leaves no port for {self.processes} processes",
                    "give a lower port",
                    value=first,
                )
        php, own = self.php_start_port, self.start_port
        if php and own and abs(php - own) < self.processes:
            raise SettingsError(
                "php_start_port",
                f"meets the ports from {own} on that start_port gives to {self.processes} processes",
                f"give one that is {self.processes} or more away",
                value=php,
            )

    @property
    def needs_certificate(self) -> bool:
        """Whether a listener speaks TLS."""
        return any(map(wants_tls, self.listen))
