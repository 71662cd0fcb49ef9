"""Every role of one file under one supervisor.

Each role reads its settings as its own command would: the same flags, environment and file. Two things are
arranged here. The register's socket is bound first, and its real address is what the others use where no
register is named, so that port 0 may stand there. And the name that is given here is the instance's; a
worker's own stands in its section.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from gateway_process.errors import ExitCode, SettingsError
from gateway_process.launch import Launch
from gateway_process.loader import Loader
from gateway_process.part import Part
from gateway_process.program import Program, children_of, supervise
from gateway_process.shared import MemberSettings, SharedSettings
from gateway_process.sources import sections_of
from register.program import REGISTER, address_dialled

__all__ = ["CLUSTER", "check", "serve"]

logger = logging.getLogger("gatewayworker")

EXAMPLE: Final = (
    "write the lines [register] and [gateway] into cluster.toml and give -c cluster.toml"
)
OF_THE_INSTANCE: Final = frozenset({"name", "run_dir"})
"""Settings that concern the whole and not each role."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the commands about running instances must know; see `admin_commands.Kind`."""

    name: str
    settings: type[MemberSettings]


CLUSTER: Final = Cluster("gatewayworker", MemberSettings)


def check(loader: Loader[MemberSettings]) -> None:
    """Read the settings of every role, and do nothing with them.

    Raises:
        SettingsError: there is no file, no section in it, or a wrong setting.
    """
    for role in _roles_of(loader.config):
        _loader_of(_program(role), _common(loader)).load()


def _roles_of(config: Path | None) -> list[str]:
    """Give the roles that a file has a section for, in the order in which they are started.

    Raises:
        SettingsError: there is no file, or no section in it.
    """
    if config is None:
        raise SettingsError("--config", "is missing", EXAMPLE)
    roles = sections_of(config)
    if not roles:
        raise SettingsError("--config", "has no section of a role", EXAMPLE, value=str(config))
    return roles


def serve(start: Launch[MemberSettings]) -> ExitCode:
    """Run the roles until they are told to stop.

    Raises:
        ProcessError: one cannot start, or did not stop cleanly.
    """
    parts = _parts(_roles_of(start.loader.config), start.loader)
    children = [child for part in parts for child in part.children]
    return supervise(CLUSTER.name, children, parts=parts, claim=start.claim, tell=start.tell)


def _parts(roles: Sequence[str], loader: Loader[MemberSettings]) -> list[Part[Any]]:
    common = _common(loader)
    told = set(loader.load().warnings)
    parts: list[Part[Any]] = []
    for program in map(_program, roles):
        part = _part(program, common, told)
        parts.append(part)
        if program is REGISTER:
            address = address_dialled(part.children[0].sockets)
            common = common.with_defaults(register=str(address))
    return parts


def _common(loader: Loader[MemberSettings]) -> Loader[Any]:
    flags = {name: raw for name, raw in loader.flags.items() if name not in OF_THE_INSTANCE}
    return replace(loader, flags=flags)


def _loader_of(program: Program[Any], common: Loader[Any]) -> Loader[SharedSettings]:
    return replace(common, settings=program.settings, role=program.name)


def _program(role: str) -> Program[Any]:
    """Give a role's program, importing none that is not started."""
    if role == "register":
        return REGISTER
    if role == "gateway":
        from gateway.program import GATEWAY

        return GATEWAY
    from businessworker.program import BUSINESSWORKER

    return BUSINESSWORKER


def _part(program: Program[Any], common: Loader[Any], told: set[str]) -> Part[Any]:
    loader = _loader_of(program, common)
    loaded = loader.load()
    for warning in loaded.warnings:
        if warning not in told:
            logger.warning("%s", warning)
    told.update(loaded.warnings)
    return Part(loader, children_of(program, loaded.settings))
