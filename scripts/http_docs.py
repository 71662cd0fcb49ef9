"""The tables of `docs/http-api.md` and `docs/metrics.md`, written from the code that they describe."""

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from prometheus_client import ProcessCollector

from gateway.admin.measures import NAMESPACE
from gateway.admin.metrics import CATALOGUE
from gateway.admin.problems import Problem
from gateway_client.calls import SUBJECTS, Builder

OPTIONS: Final = ("confirm", "strict", "partial", "timeout")
"""Arguments that say how to call; the page tells of them once for all methods."""

RESULTS: Final = {
    "Reached": "a number",
    "Published": "an object of `success`, `fail` and `total`",
    "bool": "true or false",
    "int": "a number",
    "str | None": "a text or null",
    "list[str]": "a list",
    "dict[Any, Any] | None": "an object or null",
    "dict[str, dict[Any, Any]]": "an object of objects, by client id",
    "dict[str, list[str]]": "an object of lists, by group",
    "dict[str, int]": "an object of numbers, by group",
    "dict[str, dict[str, int | float]]": "an object of objects, by topic",
    "dict[Name, list[str]]": "an object of lists, by uid",
    "dict[Name, int]": "an object of numbers, by group",
    "dict[Name, bool]": "an object of true or false, by uid",
}
"""What a result is in JSON."""


def methods() -> str:
    """Give a table of all methods, by subject."""
    return "\n\n".join(
        f"### {subject}\n\n"
        + _table(("method", "arguments", "result"), [_method_row(each) for each in builders])
        for subject, builders in SUBJECTS.items()
    )


def problems() -> str:
    """Give a table of the errors."""
    rows = [(f"`{each.code}`", str(each.status), each.text) for each in Problem]
    return _table(("code", "status", "when"), rows)


def metrics() -> str:
    """Give a table of all metrics."""
    ours = [
        (f"`{each.full_name}`", each.kind.value, _labels(each.label), each.text)
        for each in CATALOGUE
    ]
    return _table(("metric", "kind", "label", "meaning"), [*ours, *_process_rows()])


def _method_row(builder: Builder) -> tuple[str, str, str]:
    signature = inspect.signature(builder)
    arguments = ", ".join(_arguments(signature))
    result = re.fullmatch(r"Call\[(.*)\]", str(signature.return_annotation))
    if result is None:
        raise AssertionError(f"{builder.__name__} returns no call")
    return f"`{builder.__name__}`", arguments, RESULTS[result[1]]


def _arguments(signature: inspect.Signature) -> Iterator[str]:
    for name, parameter in signature.parameters.items():
        if name in OPTIONS:
            yield f"[{name}]"
        elif parameter.default is not parameter.empty:
            yield f"[`{name}`]"
        else:
            yield f"`{name}`"


def _process_rows() -> Iterator[tuple[str, ...]]:
    for family in ProcessCollector(namespace=NAMESPACE, registry=None).collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        yield f"`{name}`", family.type, "", family.documentation


def _labels(label: str) -> str:
    return f"`{label}`" if label else ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines: list[Any] = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
