"""What holds for all tests."""

import inspect
import os
from collections.abc import Iterator
from typing import Final

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import HealthCheck, settings

from tests.support.daemons import run_dirs

# A busy machine is slow at times, and that is no finding: no test here is about time.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")

# What a test starts in its own way finds no instance of anybody else's, and leaves none behind.
os.environ["GATEWAYWORKER_RUN_DIR"] = str(run_dirs())

LOOP_CODE: Final = ["businessworker", "gateway", "gateway_process", "gateway_wire", "register"]
"""Packages whose code runs on event loops and so may not block there."""


ALLOWED: Final = {
    "io.TextIOWrapper.read": ("gateway/demo/app.py", "_asset"),  # once, before anything is served
    "socket.socket.connect": ("gateway/addressing.py", "_local_host_of_route"),  # UDP: no packet
}
"""What looks as if it could block and does not, or does when nothing is waiting."""


@pytest.fixture(autouse=True)
def no_blocking_calls(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail an async test in which code of ours blocks the event loop."""
    if not inspect.iscoroutinefunction(request.function):
        yield
        return
    with blockbuster_ctx(LOOP_CODE) as detector:
        for call, (file, function) in ALLOWED.items():
            detector.functions[call].can_block_in(file, function)
        yield
