"""The kinds of value a setting may have: how each is written, read and shown.

A `Kind` reads a raw value (text from a flag or variable; text, number or boolean from a TOML file)
and writes it back as text, so that settings can be handed to a child process and shown in help.
The annotation of a field chooses its kind: plain types stand in a table, and where a Python type
does not say enough (seconds, bytes), an annotated alias does: `Seconds`, `Size`, `Network`.
Pure; to add a kind is to add a value here.
"""

import math
import re
import types
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Union, get_args, get_origin

from gateway_process.addresses import ListenUrl, read_address
from gateway_process.errors import BadValue
from gateway_process.secret import Secret
from gateway_wire.addresses import Address

__all__ = [
    "InstanceName",
    "Kind",
    "ModuleName",
    "Network",
    "Seconds",
    "Size",
    "kind_of",
    "module_name",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one type of value is written.

    Attributes:
        metavar: stands for the value in `--help`.
        parse: reads a raw value; raises `BadValue`.
        text: writes a value so that `parse` reads it back; never shown for a secret.
        choices: every accepted text, when there are only some.
    """

    metavar: str
    parse: Callable[[object], Any]
    text: Callable[[Any], str] = str
    choices: tuple[str, ...] = ()


_UNITS: Final = {
    "": 1, "B": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30,
    "KB": 10**3, "MB": 10**6, "GB": 10**9,
}  # fmt: skip
_SIZE: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[A-Za-z]*)", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?\d+", re.ASCII)
_NAME: Final = re.compile(r"\w[\w.-]{0,63}", re.ASCII)
_BOOLEANS: Final = {
    "true": True, "yes": True, "on": True, "1": True,
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise BadValue("is not text", "put it in quotes")
    return raw


def _integer(raw: object) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and _INTEGER.fullmatch(raw.strip()):
        return int(raw)
    raise BadValue("is not a whole number", "give a number such as 4")


def _seconds(raw: object) -> float:
    wrong = BadValue("is not a number of seconds", "give a number such as 25 or 0.5")
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        raise wrong
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        raise wrong from None
    if not math.isfinite(number):
        raise wrong
    return number


def _boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    known = _BOOLEANS.get(raw.strip().lower()) if isinstance(raw, str) else None
    if known is None:
        raise BadValue("is neither true nor false", "give true or false")
    return known


def _size(raw: object) -> int:
    wrong = BadValue("is not a size in bytes", "give bytes such as 65536, or 64KiB, 2MiB, 1GiB")
    if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0:
        return raw
    match = _SIZE.fullmatch(raw.strip()) if isinstance(raw, str) else None
    unit = _UNITS.get(match["unit"].upper()) if match else None
    if match is None or unit is None:
        raise wrong
    size = float(match["number"]) * unit if "." in match["number"] else int(match["number"]) * unit
    if size != int(size):
        raise wrong
    return int(size)


def _size_text(size: int) -> str:
    for unit in ("GiB", "MiB", "KiB"):
        count, rest = divmod(size, _UNITS[unit.upper()])
        if count and not rest:
            return f"{count}{unit}"
    return str(size)


def _network(raw: object) -> IPv4Network | IPv6Network:
    try:
        return ip_network(_text(raw).strip())
    except ValueError as error:
        remedy = "give addresses as 10.0.0.0/8, 192.0.2.7 or fd00::/8"
        raise BadValue(f"is not a network ({error})", remedy) from None


def _path(raw: object) -> Path:
    if not _text(raw):
        raise BadValue("is not a path", "give the path of a file")
    return Path(_text(raw)).expanduser()


def _secret(raw: object) -> Secret:
    if not _text(raw):
        raise BadValue("is empty", "give a secret or leave the setting out")
    return Secret(_text(raw))


def _name(raw: object) -> str:
    if not _NAME.fullmatch(_text(raw)):
        remedy = "give letters, digits and '_', later also '.' and '-', at most 64"
        raise BadValue("is no name for files", remedy)
    return _text(raw)


def module_name(text: str, remedy: str) -> str:
    """Check the dotted name of a module; the mistake that everybody makes once is the path of a file.

    Args:
        text: what was written.
        remedy: what to write instead.

    Raises:
        BadValue: no module has such a name.
    """
    if _is_dotted(text) and not text.endswith(".py"):
        return text
    dotted = text.removesuffix(".py").strip("./\\").replace("/", ".").replace("\\", ".")
    meant = f"did you mean {dotted}? If not, " if _is_dotted(dotted) else ""
    raise BadValue("does not name a module", f"{meant}{remedy}")


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _module(raw: object) -> str:
    module, colon, _ = _text(raw).partition(":")
    if not raw:
        return ""
    if colon:
        remedy = f"its functions are found by their names; write {module}"
        raise BadValue("names something in a module", remedy)
    return module_name(module, "write its dotted name, as myapp.chat")


def _choice(enum: type[Enum]) -> Kind:
    choices = tuple(str(member.value) for member in enum)

    def parse(raw: object) -> Enum:
        try:
            return enum(raw.strip().lower() if isinstance(raw, str) else raw)
        except ValueError:
            raise BadValue("is not one of the choices", f"give {' or '.join(choices)}") from None

    def text(member: Enum) -> str:
        return str(member.value)

    return Kind(metavar=f"[{'|'.join(choices)}]", parse=parse, text=text, choices=choices)


SECONDS: Final = Kind(metavar="SECONDS", parse=_seconds, text=lambda v: repr(v).removesuffix(".0"))
SIZE: Final = Kind(metavar="SIZE", parse=_size, text=_size_text)
NETWORK: Final = Kind(metavar="NETWORK", parse=_network)
NAME: Final = Kind(metavar="NAME", parse=_name)
MODULE: Final = Kind(metavar="MODULE", parse=_module)

Seconds = Annotated[float, SECONDS]
"""A time span in seconds, fractions allowed."""
Size = Annotated[int, SIZE]
"""A number of bytes, written as `65536` or `64KiB`, `2MiB`, `1GiB` (`KB`, `MB`, `GB` are decimal)."""
Network = Annotated[IPv4Network | IPv6Network, NETWORK]
"""An address or a range in CIDR form."""
InstanceName = Annotated[str, NAME]
"""A name that files are called by."""
ModuleName = Annotated[str, MODULE]
"""The dotted name of a module to import; empty for none."""

_BY_TYPE: Final[dict[object, Kind]] = {
    str: Kind(metavar="TEXT", parse=_text),
    int: Kind(metavar="NUMBER", parse=_integer),
    bool: Kind(metavar="BOOL", parse=_boolean, text=lambda v: "true" if v else "false"),
    Path: Kind(metavar="FILE", parse=_path),
    Secret: Kind(metavar="SECRET", parse=_secret, text=Secret.reveal),
    Address: Kind(metavar="HOST:PORT", parse=lambda raw: read_address(_text(raw))),
    ListenUrl: Kind(metavar="URL", parse=lambda raw: ListenUrl.parse(_text(raw))),
}


def kind_of(annotation: Any) -> tuple[Kind, bool]:
    """Give the kind of a field, and whether it holds several values.

    Args:
        annotation: the field's type: one of the table's, an `Enum`, an alias of this module, any
            of these `| None`, or `tuple[X, ...]` of these.

    Raises:
        TypeError: no kind is known for it.
    """
    annotation = _without_none(annotation)
    if get_origin(annotation) is tuple:
        item, dots = get_args(annotation)
        if dots is Ellipsis:
            return kind_of(item)[0], True
    if get_origin(annotation) is Annotated:
        for extra in annotation.__metadata__:
            if isinstance(extra, Kind):
                return extra, False
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _choice(annotation), False
    if annotation in _BY_TYPE:
        return _BY_TYPE[annotation], False
    raise TypeError(f"no kind of setting for {annotation!r}; see gateway_process/kinds.py")


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) not in {Union, types.UnionType}:
        return annotation
    kept = [arg for arg in get_args(annotation) if arg is not type(None)]
    return kept[0] if len(kept) == 1 else annotation
