"""The tables of `docs/client.md`: every method of the client, from the functions that make its calls."""

import inspect
from collections.abc import Callable
from typing import Any

from gateway_client.calls import SUBJECTS


def tables() -> str:
    """Give one table for each subject."""
    return "\n".join(_table(subject, methods) for subject, methods in SUBJECTS.items())


def _table(subject: str, methods: tuple[Callable[..., Any], ...]) -> str:
    rows = [f"| `{_signature(each)}` | `{_result(each)}` | {_summary(each)} |" for each in methods]
    return "\n".join(
        [f"### {subject}", "", "| method | result | |", "| --- | --- | --- |", *rows, ""]
    )


def _signature(method: Callable[..., Any]) -> str:
    """Give name and parameters; the options that many methods share are described once."""
    parameters = inspect.signature(method).parameters.values()
    return f"{method.__name__}({', '.join(_parameter(each) for each in parameters if not _shared(each))})"


def _shared(parameter: inspect.Parameter) -> bool:
    return parameter.kind is parameter.KEYWORD_ONLY


def _parameter(parameter: inspect.Parameter) -> str:
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"*{parameter.name}"
    if parameter.default is parameter.empty:
        return parameter.name
    return f"{parameter.name}={parameter.default!r}"


def _result(method: Callable[..., Any]) -> str:
    annotation = str(inspect.signature(method).return_annotation)
    return annotation.removeprefix("Call[").removesuffix("]").replace("|", "\\|")


def _summary(method: Callable[..., Any]) -> str:
    return (inspect.getdoc(method) or "").partition("\n")[0]
