"""Every setting of a business worker, declared once; flags, variables, file keys and `--help` derive from it."""

from dataclasses import dataclass
from pathlib import Path

from businessworker.target import Target
from gateway_process.errors import SettingsError
from gateway_process.kinds import Size
from gateway_process.settings import setting
from gateway_process.shared import MemberSettings
from gateway_process.sockets import refuse_open_without_secret
from gateway_wire.addresses import HIGHEST_PORT, Address
from gateway_wire.limits import DEFAULT_MAX_MESSAGE, MAX_MESSAGE_CEILING

__all__ = ["WorkerSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings(MemberSettings):
    """What a business worker can be told."""

    events: Target = setting(
        "",
        "Your handlers: a module of functions, or a class or object in it. The first argument of"
        " start says it too.",
    )
    app_dir: Path = setting(
        Path(),
        "The folder that your module is in.",
        metavar="FOLDER",
    )
    processes: int = setting(
        1,
        "Worker processes; about one per core. Each browser stays with one of them.",
        minimum=1,
        maximum=512,
        held=True,
    )
    threads: int = setting(
        8,
        "Threads of each process that run def handlers; async def ones need none.",
        minimum=1,
        maximum=4096,
    )
    http: Address | None = setting(
        None,
        "Where health and metrics are served; process i has this port plus i. Not served if unset.",
        held=True,
    )
    max_message: Size = setting(
        DEFAULT_MAX_MESSAGE,
        "Largest message that handlers may send; the gateways have a setting of the same name.",
        minimum=1,
        maximum=MAX_MESSAGE_CEILING,
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be run, or would be open to other machines.

        Raises:
            SettingsError: No handlers are named, or the HTTP port is too high or unprotected.
        """
        if not self.events:
            raise SettingsError(
                "events",
                "is missing, so that nothing says where your handlers are",
                "name their module, as in `businessworker start myapp.events`, or give the key"
                ' events = "myapp.events" in the section [businessworker]',
            )
        if self.http is not None:
            self._check_http(self.http)

    def _check_http(self, http: Address) -> None:
        if http.port and http.port + self.processes - 1 > HIGHEST_PORT:
            raise SettingsError(
                "http",
                f"leaves no port for {self.processes} processes",
                "give a lower port",
                value=str(http),
            )
        refuse_open_without_secret(
            http,
            "http",
            secret=self.api_key,
            secret_setting="api_key",  # noqa: S106 - the name of a setting
            insecure=self.insecure,
        )
