"""Settings are declared once: a frozen dataclass whose fields say everything about themselves.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class GatewaySettings(MemberSettings):
        ping_interval: Seconds = setting(25.0, "Time between pings; 0 turns pings off.", minimum=0)
        listen: tuple[ListenUrl, ...] = setting((ListenUrl.parse("ws://0.0.0.0:7272"),), "...")

        def __post_init__(self) -> None:
            if self.ping_timeout > self.ping_interval > 0:
                raise SettingsError("ping_timeout", "is longer than ...", "give less than ...",
                                    value=self.ping_timeout)

Flags, `--help`, variables, file keys, what a child is handed and what a reload may change all come
from these declarations (`specs_of`). Nothing in here reads a file, a variable or a flag.

Two things Python asks of such a class: its annotations must be importable at run time (not only
under `TYPE_CHECKING`), and `super().__post_init__()` needs its long form, because `slots=True`
makes a new class.
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from typing import Any, Final, TypeVar, get_type_hints

from gateway_process.errors import BadValue, SettingsError
from gateway_process.kinds import Kind, kind_of
from gateway_process.secret import Secret

__all__ = [
    "ROLES",
    "TABLES",
    "Declaration",
    "Reloaded",
    "Settings",
    "Spec",
    "dump",
    "reloaded",
    "restore",
    "setting",
    "specs_of",
]

ROLES: Final = ("register", "gateway", "businessworker")
"""The roles with a section of their own in a file and variables of their own in the environment."""

TABLES: Final = {"route": "gateway"}
"""Settings of one role that are lists of tables, and the role. They may stand in its section or, because a
long list reads better so, at the top of a file (`[[route]]`), where the other roles pass over them."""

_METADATA: Final = "gateway_process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a field says besides its type and default; see `setting`."""

    help: str
    aliases: tuple[str, ...] = ()
    shared: bool = False
    hot: bool = False
    held: bool = False
    minimum: float | None = None
    maximum: float | None = None
    metavar: str | None = None


def setting(default: Any, help: str, **more: Any) -> Any:  # noqa: A002 -- the word every CLI library uses
    """Declare a field of a `Settings` class.

    Args:
        default: the value, in the field's type, when nothing is given. An empty tuple says that
            the list may be empty; None that the setting may be left out.
        help: one or two sentences for `--help`: unit, consequence. Default and variable are added.
        **more: fields of `Declaration`:
            aliases: other names, accepted as flag, variable and file key: `("lan_ip",)`.
            shared: all roles have it: `GATEWAYWORKER_X` and a top-level file key besides their own.
            hot: a reload may change it while the process runs; others need a restart.
            held: the supervisor itself holds what it says (a socket, a file, the number of processes),
                so that new processes do not change it; see `reloaded`.
            minimum, maximum: bounds of a number, inclusive.
            metavar: stands for the value in `--help`, when the kind's word says too little.
    """
    return field(default=default, metadata={_METADATA: Declaration(help=help, **more)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Base of every settings class; fields are declared with `setting`."""


S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One setting as it was declared.

    Attributes:
        name: the field's name, which is the file key and, with dashes, the flag.
        kind: how one value is written.
        many: whether it holds several values (a tuple).
        default: the value when nothing is given.
        says: the rest of its declaration.
    """

    name: str
    kind: Kind
    many: bool
    default: Any
    says: Declaration

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it goes by: its own, then its aliases."""
        return (self.name, *self.says.aliases)

    @property
    def is_secret(self) -> bool:
        """Whether its value must never be shown; it also has a variant `<name>_file`."""
        return isinstance(self.default, Secret)

    @property
    def file_variant(self) -> str | None:
        """The name of the setting that names a file to read this one from, for secrets."""
        return f"{self.name}_file" if self.is_secret else None

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off, and so has two flags and no value."""
        return isinstance(self.default, bool)

    def read(self, raw: object) -> Any:
        """Read a raw value of a flag, variable, file or hand-over.

        Args:
            raw: text, number or boolean; for a list also comma-separated text, or a sequence of
                these.

        Raises:
            BadValue: it is not a value of this setting; of a list, says which one is wrong.
        """
        if not self.many:
            if isinstance(raw, (list, tuple, dict)):
                raise BadValue("is not one value", f"give one {self.kind.metavar}")
            return self._bounded(self.kind.parse(raw))
        values = tuple(map(self._item, _items(raw)))
        if not values and self.default:
            raise BadValue("names nothing", f"give at least one {self.kind.metavar}")
        return values

    def shown(self, value: Any) -> str:
        """Give a value as `--help` and messages show it; a secret shows as `***`."""
        if value is None:
            return ""
        if self.is_secret:
            return str(value)
        return ",".join(map(self.kind.text, value)) if self.many else self.kind.text(value)

    def _item(self, raw: object) -> Any:
        try:
            return self._bounded(self.kind.parse(raw))
        except BadValue as error:
            raise BadValue(error.problem, error.remedy, value=raw) from error

    def _bounded(self, value: Any) -> Any:
        low, high = self.says.minimum, self.says.maximum
        text = self.kind.text
        if low is not None and value < low:
            raise BadValue(f"is below {text(low)}", f"give {text(low)} or more")
        if high is not None and value > high:
            raise BadValue(f"is above {text(high)}", f"give {text(high)} or less")
        return value


def _items(raw: object) -> Sequence[object]:
    """Split a list as it was written: `a,b`, a flag given several times, or a list of a file."""
    if isinstance(raw, str):
        return [item for item in (part.strip() for part in raw.split(",")) if item]
    if isinstance(raw, tuple):
        return [item for part in raw for item in _items(part)]
    return raw if isinstance(raw, list) else [raw]


def specs_of(settings: type[Settings]) -> tuple[Spec, ...]:
    """Give the settings of a class: its own first, inherited ones after, as `--help` lists them.

    Raises:
        TypeError: a field was not declared with `setting`, or its type has no kind.
    """
    hints = get_type_hints(settings, include_extras=True)
    by_name = {each.name: _spec(each, hints[each.name]) for each in fields(settings)}
    names = [name for cls in settings.__mro__ for name in inspect.get_annotations(cls)]
    return tuple(by_name[name] for name in dict.fromkeys(names) if name in by_name)


def _spec(declared: Field[Any], annotation: Any) -> Spec:
    says = declared.metadata.get(_METADATA)
    if says is None or declared.default is MISSING:
        raise TypeError(f"{declared.name}: declare it with setting(default, help)")
    kind, many = kind_of(annotation)
    return Spec(name=declared.name, kind=kind, many=many, default=declared.default, says=says)


def dump(settings: Settings) -> dict[str, Any]:
    """Write settings as JSON-ready values, secrets included: only for a child's own channel."""
    return {
        spec.name: _dumped(spec, getattr(settings, spec.name)) for spec in specs_of(type(settings))
    }


def _dumped(spec: Spec, value: Any) -> Any:
    if value is None:
        return None
    return [spec.kind.text(item) for item in value] if spec.many else spec.kind.text(value)


def restore(settings: type[S], dumped: Mapping[str, Any]) -> S:
    """Read back what `dump` wrote."""
    values = {}
    for spec in specs_of(settings):
        raw = dumped[spec.name]
        empty = raw is None or (spec.is_secret and not raw)
        values[spec.name] = spec.default if empty else spec.read(raw)
    return settings(**values)


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload changes: see `reloaded`.

    Attributes:
        settings: Those in force from now, of the class that they had; None where they are several.
        applied: The names of those that have changed.
        needs_restart: The names of those that have changed where they are written, and not here.
        replaced: How many processes were replaced for it.
    """

    settings: Any
    applied: tuple[str, ...]
    needs_restart: tuple[str, ...]
    replaced: int = 0


def reloaded(old: S, new: S, *, replaces: bool = False) -> Reloaded:
    """Take over what a reload may change, and name what needs a restart.

    Args:
        old: the settings in force.
        new: the settings read anew.
        replaces: whether new processes take the settings over: then all but the held ones change,
            else the hot ones.

    Raises:
        SettingsError: what may change does not go with what may not.
    """
    changed = [s for s in specs_of(type(old)) if getattr(old, s.name) != getattr(new, s.name)]
    taken = [s.name for s in changed if (not s.says.held if replaces else s.says.hot)]
    left = tuple(spec.name for spec in changed if spec.name not in taken)
    try:
        settings = replace(old, **{name: getattr(new, name) for name in taken})
    except SettingsError as error:
        remedy = f"restart it, since it cannot change {' and '.join(left)} while it runs"
        raise SettingsError(error.setting, error.problem, remedy, value=error.value) from error
    return Reloaded(settings, tuple(taken), left)
