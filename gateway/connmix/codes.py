"""What can be wrong with a request of CONNMIX's API: its numbers, each with when it is answered.

The number is for programs; the text beside it, which CONNMIX leaves open, says what would be right.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["Code", "ConnmixError", "bad_request"]


class Code(Enum):
    """The codes; the value is what the wire carries."""

    BAD_REQUEST = 101
    """The request is no JSON, or its method or parameters are wrong; nothing was done."""
    POP_FAILED = 201
    """The topics cannot be popped, such as more of them than `--queue-topics`."""
    ALREADY_POPPING = 202
    """This connection pops one of the topics already."""
    UNPOP_FAILED = 203
    """This connection pops nothing."""
    CALL_FAILED = 301
    """The client is gone, or its gateway could not be asked."""
    SEND_FAILED = 401
    """The client is gone, or its gateway could not be asked; for a publish: no gateway could."""


class ConnmixError(Exception):
    """A request cannot be answered with a result.

    Attributes:
        code: Which of the codes it is.
        text: A sentence with the remedy.
    """

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"{self.code.value}: {self.text}"


def bad_request(text: str) -> ConnmixError:
    """Return the error of a request that is wrong in itself."""
    return ConnmixError(Code.BAD_REQUEST, text)
