"""A secret order of all numbers of some bits: what makes short ids unguessable and never repeated.

Random ids of 40 bits would repeat after a million or so (the birthday bound), and a counter tells everybody
the next one. A counter sent through a secret permutation does neither.

Theory: a balanced Feistel network. The number is cut into halves; each round replaces one half by its
exclusive or with a keyed hash of the other, and swaps them. Every round can be undone, whatever the hash, so
different numbers stay different. Pure.
"""

from __future__ import annotations

import secrets
from hashlib import blake2s
from typing import Final

__all__ = ["Permutation"]

ROUNDS: Final = 10
"""
Rounds of the network.

As many as in NIST's FF1 (SP 800-38G), which encrypts numbers this short the same way. Attacks that tell a
network from chance by the outputs that one can collect are known for up to six rounds with halves of
16 or 20 bits. A round takes half a microsecond.
"""

KEY_BYTES: Final = 16
"""Bytes of a key: nobody tries all of 2**128."""

_HALF_BYTES: Final = 4
MAX_BITS: Final = 2 * 8 * _HALF_BYTES
"""Bits of the longest numbers: a half must fit what is hashed."""


class Permutation:
    """Maps the numbers below `2**bits` onto themselves, each to another place than anybody can tell."""

    __slots__ = ("_bits", "_half", "_mask", "_rounds")

    def __init__(self, bits: int, key: bytes | None = None) -> None:
        """Choose the permutation.

        Args:
            bits: How many bits the numbers have: even, from 2 to 64.
            key: Which permutation it is, 1 to 16 bytes; a random one if None.

        Raises:
            ValueError: If there is no permutation for `bits`.
        """
        if bits % 2 or not 2 <= bits <= MAX_BITS:
            msg = f"a permutation has an even number of bits from 2 to {MAX_BITS}, not {bits}"
            raise ValueError(msg)
        key = secrets.token_bytes(KEY_BYTES) if key is None else key
        self._bits = bits
        self._half = bits // 2
        self._mask = (1 << self._half) - 1
        # A hash of each round's own, begun once: what is hashed per number is added to a copy.
        self._rounds = tuple(
            blake2s(digest_size=_HALF_BYTES, key=key, person=bytes([number]))
            for number in range(ROUNDS)
        )

    def __repr__(self) -> str:
        return f"<Permutation of {self._bits} bits>"

    def __call__(self, number: int) -> int:
        """Return what a number is mapped to.

        Args:
            number: From 0 to `2**bits - 1`.
        """
        mask = self._mask
        left, right = number >> self._half, number & mask
        for begun in self._rounds:
            keyed = begun.copy()
            keyed.update(right.to_bytes(_HALF_BYTES, "big"))
            left, right = right, left ^ (int.from_bytes(keyed.digest(), "big") & mask)
        return left << self._half | right
