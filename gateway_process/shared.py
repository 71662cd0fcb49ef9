"""The settings that every role has, and those of every role that dials a register.

Their names stand at the top of a file beside the sections, and in the environment without a role
(`GATEWAYWORKER_LOG_LEVEL`); a role's own section or variable wins over the shared one.

In a file with a `[register]` section the address of the register is written as `register_address`,
because TOML has one `register` only.
"""

from dataclasses import dataclass
from pathlib import Path

from gateway_process.kinds import InstanceName, Seconds
from gateway_process.logs import LogFormat, LogLevel
from gateway_process.secret import Secret
from gateway_process.settings import Settings, setting
from gateway_wire.addresses import Address

__all__ = ["DEFAULT_REGISTER", "MemberSettings", "SharedSettings"]

DEFAULT_REGISTER = Address("127.0.0.1", 1236)
"""Where a register listens when nothing is set; GatewayWorker's port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedSettings(Settings):
    """What every daemon has."""

    secret_key: Secret = setting(
        Secret(),
        "The secret that all processes of the cluster and its clients share. Prefer"
        " --secret-key-file: flags stand in the process list.",
        shared=True,
    )
    api_key: Secret = setting(
        Secret(),
        "The key that HTTP requests carry as 'Authorization: Bearer KEY'. Prefer --api-key-file.",
        shared=True,
    )
    insecure: bool = setting(
        False,
        "Allow internal and HTTP listeners without a secret on addresses that other machines reach.",
        shared=True,
    )
    log_level: LogLevel = setting(LogLevel.INFO, "The lowest level written.", shared=True, hot=True)
    log_format: LogFormat = setting(LogFormat.TEXT, "How a log line looks.", shared=True, held=True)
    log_file: Path | None = setting(
        None,
        "Append log lines to this file instead of standard error; a reload opens it anew.",
        shared=True,
        held=True,
    )
    stop_timeout: Seconds = setting(
        25.0,
        "How long a stop may take before the process ends anyhow.",
        shared=True,
        hot=True,
        minimum=0,
    )
    name: InstanceName | None = setting(
        None,
        "What this instance is called, for its files and for stop, status and the like; unset: the"
        " program's name.",
        shared=True,
        held=True,
    )
    run_dir: Path | None = setting(
        None,
        "Folder of the pid file, the control socket and the log of -d; unset: /run/gatewayworker for"
        " root, else $XDG_RUNTIME_DIR/gatewayworker, else gatewayworker-UID among temporary files.",
        shared=True,
        held=True,
        metavar="FOLDER",
    )

    @property
    def drain_limit(self) -> float:
        """Seconds after which a graceful stop waits for no peer any more and is a plain stop."""
        return self.stop_timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSettings(SharedSettings):
    """What every daemon has that finds the others through registers."""

    register: tuple[Address, ...] = setting(
        (DEFAULT_REGISTER,),
        "The registers of the cluster; all of them are used at once.",
        shared=True,
        aliases=("register_address",),
    )
