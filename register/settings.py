"""Every setting of a register, declared once; flags, variables, file keys and `--help` derive from it."""

from dataclasses import dataclass
from typing import Final

from gateway_process.settings import setting
from gateway_process.shared import DEFAULT_REGISTER, SharedSettings
from gateway_process.sockets import refuse_open_without_secret
from gateway_wire.addresses import Address

__all__ = ["RegisterSettings"]

DEFAULT_HTTP: Final = Address("127.0.0.1", 6787)
"""The port on which CONNMIX's centre tells its nodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSettings(SharedSettings):
    """What a register can be told."""

    listen: Address = setting(
        DEFAULT_REGISTER,
        "Where gateways announce themselves, and workers and clients ask for them.",
    )
    http: Address = setting(
        DEFAULT_HTTP, "Where /healthz, /v1/nodes and /metrics are served, and nothing else."
    )
    connmix: bool = setting(
        False,
        "Be CONNMIX's centre for its clients: serve /version on the HTTP port too, and list on /v1/nodes"
        " the gateways alone that run with --connmix.",
    )

    def __post_init__(self) -> None:
        """Refuse what would be open to other machines.

        Raises:
            SettingsError: A listener is open to other machines and nothing protects it.
        """
        refuse_open_without_secret(
            self.listen,
            "listen",
            secret=self.secret_key,
            secret_setting="secret_key",  # noqa: S106 - the name of a setting
            insecure=self.insecure,
        )
        refuse_open_without_secret(
            self.http,
            "http",
            secret=self.api_key,
            secret_setting="api_key",  # noqa: S106 - the name of a setting
            insecure=self.insecure,
        )
