"""The generated parts of docs/protocol.md, drawn from the code that speaks the protocol.

Each function gives the Markdown of one part and is named by a marker in the page (see
`scripts.docs`). Prose stands in the page; tables, numbers and bytes stand here.
"""

import ast
import dataclasses
import hashlib
import inspect
import itertools
import re
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, Final

from gateway_wire import close_codes, errors, hello, limits
from gateway_wire.commands import CATALOGUE, COMMANDS, Command, Role
from gateway_wire.commands import link as link_commands
from gateway_wire.commands.replies import ALL_SHAPES
from gateway_wire.frames import encode_frame
from gateway_wire.state import HELLO_TRANSITIONS, Side

EXAMPLE_KEY: Final = "an example, not a secret"
CLIENT_NONCE: Final = bytes(range(32))
SERVER_NONCE: Final = bytes(range(32, 64))

_ROLE: Final = re.compile(r":class:`~?(?:[\w.]+\.)?(\w+)`")
_MODULE: Final = re.compile(r":(?:mod|data):`~?([\w.]+)`")


# Commands


def commands() -> str:
    """Give every command by subject."""
    return "\n".join(_subject(title, listed) for title, listed in CATALOGUE)


def _subject(title: str, listed: Iterable[type[Command]]) -> str:
    rows = (
        (
            str(each.code),
            f"`{each.wire_name}`",
            ", ".join(_fields(each)) or "none",
            f"{_roles(each.senders)} → {_roles(each.receivers)}",
            each.reply.name,
            _prose(each),
        )
        for each in listed
    )
    head = ("code", "command", "fields, in order", "from → to", "reply", "meaning")
    return f"### {title}\n\n{_table(head, rows)}"


def _fields(command: type[Command]) -> Iterator[str]:
    parts = dataclasses.fields(command)  # type: ignore[arg-type]  # every command is a dataclass
    for part, check in zip(parts, command.field_checks, strict=True):
        yield f"`{check.name}`: {check.text}{_default(part)}"


def _default(part: "dataclasses.Field[Any]") -> str:
    if part.default is not dataclasses.MISSING:
        return f" = {_wire(part.default)}"
    if part.default_factory is not dataclasses.MISSING:
        return f" = {_wire(part.default_factory())}"
    return ""


def _wire(value: object) -> str:
    return "nil" if value is None else f"`{value!r}`".replace("'", '"')


def _roles(roles: frozenset[Role]) -> str:
    if roles == frozenset(Role):
        return "any"
    return ", ".join(each.value for each in Role if each in roles)


def _prose(command: type[Command]) -> str:
    """Give a docstring as one paragraph, with class names as names on the wire."""
    by_class = {each.__name__: each.wire_name for each in COMMANDS.values()}
    text = " ".join((inspect.getdoc(command) or "").split())
    text = _ROLE.sub(lambda match: f"`{by_class.get(match[1], match[1])}`", text)
    return text.replace("``", "`")


# States


def states() -> str:
    """Give the table of the hello, for both sides."""
    rows = (
        (side.value, state.value, direction, f"`{command.wire_name}`", following.value)
        for side in Side
        for state, events in HELLO_TRANSITIONS[side].items()
        for (direction, command), following in events.items()
    )
    return _table(("side", "state", "event", "command", "next state"), rows)


# Answers


def reply_shapes() -> str:
    """Give the shapes of answers."""
    rows = ((each.name, each.text, "yes" if each.in_parts else "no") for each in ALL_SHAPES)
    return _table(("reply", "value", "in parts"), rows)


def error_codes() -> str:
    """Give the codes of `error` and `goodbye`."""
    texts = _documented(_class_body(errors, "ErrorCode"))
    rows = ((f"`{each.value}`", texts[each.name]) for each in errors.ErrorCode)
    return _table(("code", "when"), rows)


def close_code_table() -> str:
    """Give the codes with which browsers' connections end."""
    reconnect = {True: "yes", False: "no", None: "as the application says"}
    rows = (
        (str(each.code), f"`{each.name}`", each.when, reconnect[each.reconnect])
        for each in close_codes.CATALOGUE
    )
    return _table(("code", "name", "when", "reconnect"), rows)


# Limits


def limit_table() -> str:
    """Give the limits with their reasons."""
    texts = _documented(ast.parse(inspect.getsource(limits)).body)
    rows = ((f"`{name}`", _number(getattr(limits, name)), text) for name, text in texts.items())
    return _table(("limit", "value", "meaning"), rows)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _class_body(module: ModuleType, name: str) -> list[ast.stmt]:
    for statement in ast.parse(inspect.getsource(module)).body:
        if isinstance(statement, ast.ClassDef) and statement.name == name:
            return statement.body
    raise LookupError(f"{module.__name__} has no class {name}")


def _documented(body: list[ast.stmt]) -> dict[str, str]:
    """Give each constant that is followed by its docstring, with that text as one paragraph."""
    texts = {}
    for statement, following in itertools.pairwise(body):
        name = _assigned(statement)
        if name and isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            text = " ".join(str(following.value.value).split())
            texts[name] = _MODULE.sub(r"`\1`", text).replace("``", "`")
    return texts


def _assigned(statement: ast.stmt) -> str:
    """Give the name that a statement assigns to, or nothing."""
    if isinstance(statement, ast.AnnAssign):
        target: ast.expr = statement.target
    elif isinstance(statement, ast.Assign):
        target = statement.targets[0]
    else:
        return ""
    return target.id if isinstance(target, ast.Name) else ""


# The hello, worked


def worked_hello() -> str:
    """Give a hello with a secret key, byte for byte."""
    greeting = link_commands.Hello(
        1, 1, "client", [], "example/1.0", "0011223344556677", CLIENT_NONCE, _key_id()
    )
    challenge = link_commands.Challenge(
        1, "gateway", [], "example/1.0", "8899aabbccddeeff", SERVER_NONCE
    )
    bodies = encode_frame(greeting)[4:], encode_frame(challenge)[4:]
    dialer = hello.proof_of(EXAMPLE_KEY, hello.DIALER_LABEL, *bodies)
    acceptor = hello.proof_of(EXAMPLE_KEY, hello.ACCEPTOR_LABEL, *bodies)
    welcome = link_commands.Welcome(1, "gateway", [], "example/1.0", "8899aabbccddeeff", acceptor)
    steps = (
        f'secret key           "{EXAMPLE_KEY}", in UTF-8',
        f"key_id               {_key_id()}",
        _frame("dialler: hello", greeting),
        _frame("acceptor: challenge", challenge),
        f"SHA-256(hello body)      {hashlib.sha256(bodies[0]).hexdigest()}",
        f"SHA-256(challenge body)  {hashlib.sha256(bodies[1]).hexdigest()}",
        f"dialler's label      {_text(hello.DIALER_LABEL)}",
        f"dialler's proof      {dialer.hex()}",
        _frame("dialler: proof", link_commands.Proof(dialer)),
        f"acceptor's label     {_text(hello.ACCEPTOR_LABEL)}",
        f"acceptor's proof     {acceptor.hex()}",
        _frame("acceptor: welcome", welcome),
    )
    return "```text\n" + "\n".join(steps) + "\n```\n"


def _key_id() -> str:
    return hello.key_id_of(EXAMPLE_KEY)


def _text(label: bytes) -> str:
    return '"' + label.decode().replace("\0", "\\0") + '"'


def _frame(title: str, command: Command) -> str:
    digits = encode_frame(command).hex()
    lines = [digits[start : start + 64] for start in range(0, len(digits), 64)]
    return "\n".join([f"{title}, the whole frame", *(f"    {line}" for line in lines)])


# Markdown


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
