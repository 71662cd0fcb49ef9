"""The bench compiles C programs; where that cannot be, its tests are skipped."""

import pytest

from bench.programs import can_compile

__all__ = ["needs_compiler"]

needs_compiler = pytest.mark.skipif(
    not can_compile(), reason="needs a C compiler, and zlib's header"
)
