"""From a frame, or the body of a POST, to its parts: the envelope of a request, taken off.

It comes before the look at method and parameters (:mod:`gateway.connmix.methods`), because an error there
is answered in the spelling and with the id of its request.
"""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple, NoReturn

from gateway.connmix.codes import bad_request
from gateway.connmix.dialects import LONG, SHORT, Dialect

__all__ = ["Request", "parse", "parse_body"]


class Request(NamedTuple):
    """A frame without its envelope.

    Attributes:
        dialect: How it is spelled, and its answer is to be.
        method: What is called, not looked at yet.
        params: With what, not looked at yet.
        request_id: What the answer must carry: a number stays a number.
    """

    dialect: Dialect
    method: object
    params: object
    request_id: object


def parse(frame: str | bytes) -> Request:
    """Take the envelope off a frame.

    Raises:
        ConnmixError: It is no JSON object; there is no id to answer with.
    """
    envelope = parse_body(frame)
    if "method" in envelope:
        request_id = envelope.get("id", envelope.get("i"))
        return Request(LONG, envelope["method"], envelope.get("params"), request_id)
    # One example of the documents writes "id" for "i".
    request_id = envelope.get("i", envelope.get("id"))
    return Request(SHORT, envelope.get("m"), envelope.get("p"), request_id)


def parse_body(text: str | bytes) -> dict[str, Any]:
    """Return the JSON object that a frame, or the body of a POST, is.

    Raises:
        ConnmixError: It is something else.
    """
    try:
        value = json.loads(text, parse_float=_float, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"the request is no JSON: {error}; send one JSON object") from error
    if not isinstance(value, dict):
        raise bad_request(f"the request is no object, but {value!r:.80}; send one JSON object")
    return value


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):  # such as 1e999, which could be neither answered nor passed on
        raise ValueError(f"{text:.40} is larger than any number")
    return value


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")
