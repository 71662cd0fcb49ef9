"""Where clients are listened for: `scheme://host:port`; and how an address is read as a setting.

The address itself is :class:`gateway_wire.addresses.Address`, the same for all packages.
"""

import re
from dataclasses import dataclass
from typing import Final

from gateway_process.errors import BadValue
from gateway_wire.addresses import Address, BadAddress

__all__ = ["ListenUrl", "read_address"]

_URL: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*|[^/?#\s]+:[^/?#\s]+)://(?P<address>[^/?#]*)(?P<rest>.*)",
    re.IGNORECASE,
)
_FORM: Final = "write scheme://host:port as ws://0.0.0.0:7272 or ws://[::]:7272"


@dataclass(frozen=True, slots=True)
class ListenUrl:
    """A public listener: which protocol on which address.

    Attributes:
        scheme: such as `ws`, in lower case; or `module:Class` as it was written. Which schemes exist
            is the role's business.
        address: where it listens.
    """

    scheme: str
    address: Address

    @classmethod
    def parse(cls, text: str) -> "ListenUrl":
        """Read `scheme://host:port`.

        Raises:
            BadValue: it is something else, or a path follows.
        """
        match = _URL.fullmatch(text.strip())
        if match is None:
            raise BadValue("is not a listen URL", _FORM)
        if match["rest"] not in {"", "/"}:
            raise BadValue(
                "has something behind the port", "a listener takes every path; remove it"
            )
        try:
            return cls(_scheme(match["scheme"]), Address.parse(match["address"]))
        except BadAddress as error:
            raise BadValue(error.problem, _FORM) from None

    def __str__(self) -> str:
        return f"{self.scheme}://{self.address}"


def _scheme(text: str) -> str:
    return text if ":" in text else text.lower()


def read_address(text: str) -> Address:
    """Read an address that stands in a setting.

    Raises:
        BadValue: It is something else.
    """
    try:
        return Address.parse(text)
    except BadAddress as error:
        raise BadValue(error.problem, error.remedy) from None
