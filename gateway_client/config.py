"""What a client object is told once: where the registers are, the secret key, its limits.

The one place that reads the environment: `GATEWAYWORKER_REGISTER` (addresses, comma-separated),
`GATEWAYWORKER_SECRET_KEY` and `GATEWAYWORKER_SECRET_KEY_FILE`. What the program says wins. A business
worker has read the environment with its other settings, so what it was told stands in for that there,
and in the children that its handlers fork.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway_client.options import check_timeout
from gateway_wire.addresses import Address
from gateway_wire.limits import DEFAULT_MAX_MESSAGE, MAX_MESSAGE_CEILING

__all__ = [
    "ASK_AGAIN_PAUSE",
    "CONNECT_TIMEOUT",
    "DEFAULT_REGISTER",
    "DEFAULT_TIMEOUT",
    "STOP_TIMEOUT",
    "Config",
    "Settled",
    "configure",
    "forget_defaults",
    "set_defaults",
    "settled",
]

DEFAULT_REGISTER: Final = "127.0.0.1:1236"
"""Where `register start` listens when it is told nothing."""

DEFAULT_TIMEOUT: Final = 5.0
"""Seconds a call may take: longer than any gateway that is well, shorter than a web server waits."""

CONNECT_TIMEOUT: Final = 3.0
"""Seconds of a call that connecting may take, so that time is left for those that are there."""

ASK_AGAIN_PAUSE: Final = 10.0
"""Seconds before a gateway that sends a consumer no messages is asked again: it is too old, or has too many topics."""

STOP_TIMEOUT: Final = 1.0
"""Seconds that gateways have to answer when a consumer stops; one that is well needs milliseconds."""

_ENV_REGISTER: Final = "GATEWAYWORKER_REGISTER"
_ENV_KEY: Final = "GATEWAYWORKER_SECRET_KEY"
_ENV_KEY_FILE: Final = "GATEWAYWORKER_SECRET_KEY_FILE"


Settled = tuple[str | tuple[str, ...] | None, str | None, tuple[tuple[str, ...], str] | None]
"""What the program says of registers and secret key, and what stands in for the environment."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one client object.

    Attributes:
        registers: Where the registers listen.
        secret_key: The cluster's secret key, empty for none; not shown in the representation.
        timeout: Seconds one call may take, unless it says otherwise.
        max_message: Bytes of the largest message; the gateways have a setting of the same name.
    """

    registers: tuple[Address, ...]
    secret_key: str = field(default="", repr=False)
    timeout: float = DEFAULT_TIMEOUT
    max_message: int = DEFAULT_MAX_MESSAGE

    def __post_init__(self) -> None:
        if not self.registers:
            raise ValueError("register_address names no register: give one, such as 127.0.0.1:1236")
        if not isinstance(self.secret_key, str):
            kind = type(self.secret_key).__name__
            raise TypeError(f"secret_key is of type {kind}: give text, as the gateways are given")
        check_timeout(self.timeout)
        if not 0 < self.max_message <= MAX_MESSAGE_CEILING:
            raise ValueError(
                f"max_message is {self.max_message!r}: give bytes from 1 to {MAX_MESSAGE_CEILING}, "
                "which is what fits a frame"
            )


def configure(
    register_address: str | Iterable[str] | None,
    secret_key: str | None,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    max_message: int = DEFAULT_MAX_MESSAGE,
) -> Config:
    """Make the settings from what the program says and, where it says None, the environment.

    Raises:
        TypeError: If something is of another type.
        ValueError: If an address cannot be parsed or a number is out of range.
        OSError: If the secret key's file cannot be read.
    """
    if _defaults is not None:
        register_address = _defaults[0] if register_address is None else register_address
        secret_key = _defaults[1] if secret_key is None else secret_key
    if register_address is None:
        register_address = os.environ.get(_ENV_REGISTER) or DEFAULT_REGISTER
    addresses = [Address.parse(each) for each in _texts(register_address) if each.strip()]
    key = _secret_key_from_environment() if secret_key is None else secret_key
    return Config(tuple(dict.fromkeys(addresses)), key, timeout, max_message)


_defaults: tuple[tuple[str, ...], str] | None = None


def set_defaults(registers: Iterable[Address], secret_key: str) -> None:
    """Say what the process was told, in place of the environment.

    Args:
        registers: Where the registers are.
        secret_key: The cluster's secret key, empty for none.
    """
    global _defaults  # noqa: PLW0603 - one process is told once
    _defaults = (tuple(map(str, registers)), secret_key)


def forget_defaults() -> None:
    """Read the environment again."""
    global _defaults  # noqa: PLW0603 - as above
    _defaults = None


def _texts(register_address: str | Iterable[str]) -> list[str]:
    if isinstance(register_address, str):
        return register_address.split(",")
    if isinstance(register_address, Iterable):
        texts = list(register_address)
        if all(isinstance(each, str) for each in texts):
            return texts
    raise TypeError(
        f"register_address is {register_address!r}: give host:port as text, or a list of such"
    )


def settled(register_address: str | Iterable[str] | None, secret_key: str | None) -> Settled:
    """Return what a client is made of, to be compared later.

    A later change of a list of addresses does not change it, and what the process is told since does.
    """
    if register_address is not None and not isinstance(register_address, str):
        register_address = tuple(register_address)
    return register_address, secret_key, _defaults


def _secret_key_from_environment() -> str:
    key = os.environ.get(_ENV_KEY)
    file = os.environ.get(_ENV_KEY_FILE)
    if key is not None or not file:
        return key or ""
    return Path(file).read_text("utf-8").strip()
