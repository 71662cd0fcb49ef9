"""The layout rules: each module has its own tests, and the tree knows no machine but yours.

A module `a/b/c.py` of the distribution is tested by `tests/a/b/test_c.py`. One that is not stands in
`TESTED_ELSEWHERE` with the reason. `__init__.py` and `__main__.py` need neither: the first holds a
docstring and re-exports, the second calls one function.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scripts.tree import ROOT, project_files

PACKAGES: Final = (
    "gatewayworker",
    "gateway_wire",
    "gateway_process",
    "register",
    "gateway",
    "businessworker",
    "gateway_client",
)
_GOLDEN: Final = "declarations; tests/gateway_wire/test_golden.py has the bytes of every command"

_BLOCKING_CLIENT: Final = "tests/gateway_client/blocking/test_client.py has every way it can end"
_AIO_CLIENT: Final = "tests/gateway_client/aio/test_client.py has every way it can end"
_AIO_CONSUMER: Final = "tests/gateway_client/aio/test_consumer.py has every way it can end"
_FACADES: Final = (
    "a list; tests/gateway_client/test_facade.py holds it against the catalogue and mypy"
)

TESTED_ELSEWHERE: Final[dict[str, str]] = {
    "businessworker/commands.py": "the command line that tests/businessworker/test_process.py types",
    "businessworker/program.py": "names what tests/businessworker/test_process.py starts",
    "businessworker/source.py": "a protocol; tests/businessworker/sources.py records what is done to one",
    "gateway/admin/sources.py": "the parts by name, as test_server.py and test_health.py hand them in",
    "gateway/connmix/part.py": "counters, as tests/gateway/admin/test_connmix_socket.py reads them",
    "gateway/connmix/wanted.py": "declarations; tests/gateway/connmix/test_methods.py has each",
    "gateway/commands/asking.py": "a few lines that test_send.py and test_queues.py beside it type",
    "gateway/demo/process.py": "a few lines that test_program.py starts and stops",
    "gateway/edge/interface.py": "protocols and a record; tests/gateway/edge/test_handshake.py shows what is told",
    "gateway/entry/ports.py": "protocols and a record; tests/gateway/entry/support.py fills them",
    "gateway/holding.py": "what the dispatch counts with; tests/gateway/test_router.py drives it",
    "gateway_client/aio/consumer_link.py": _AIO_CONSUMER,
    "gateway_client/aio/consuming_methods.py": _AIO_CONSUMER,
    "gateway_client/aio/engine.py": _AIO_CLIENT,
    "gateway_client/aio/message.py": _AIO_CONSUMER,
    "gateway_client/aio/methods.py": _FACADES,
    "gateway_client/aio/outlet.py": _AIO_CLIENT,
    "gateway_client/blocking/engine.py": _BLOCKING_CLIENT,
    "gateway_client/blocking/methods.py": _FACADES,
    "gateway_client/blocking/switchboard.py": _BLOCKING_CLIENT,
    "gateway_client/blocking/talk.py": _BLOCKING_CLIENT,
    "gateway_client/pipeline_methods.py": _FACADES,
    "gateway_client/send_types.py": _FACADES,
    "gateway_wire/commands/binds.py": _GOLDEN,
    "gateway_wire/commands/directory.py": _GOLDEN,
    "gateway_wire/commands/events.py": _GOLDEN,
    "gateway_wire/commands/link.py": _GOLDEN,
    "gateway_wire/commands/queries.py": _GOLDEN,
    "gateway_wire/commands/sends.py": _GOLDEN,
    "gatewayworker/commands/start.py": "one call, which test_cluster.py beside it types",
    "register/program.py": "names what tests/register/test_process.py starts",
}
"""Module -> why there is no test file of its own, and where the tests are."""

ONE_MACHINE: Final = re.compile(r"(?<![\w.~])/(?:work|root|home/\w+|Users/\w+)/|\.\./shared\b")
"""Paths that exist on somebody's machine only."""


def untested_modules() -> Iterator[str]:
    """Give modules without a test file, and entries that are no longer needed."""
    modules = list(_modules())
    for module in modules:
        name, test = module.as_posix(), _test_of(module)
        if name not in TESTED_ELSEWHERE and not (ROOT / test).exists():
            yield f"{name}: write {test}, or list it in scripts/layout.py with the reason"
    for entry in TESTED_ELSEWHERE:
        if not (ROOT / entry).exists():
            yield f"{entry}: listed in scripts/layout.py, but there is no such module"
        elif (ROOT / _test_of(Path(entry))).exists():
            yield f"{entry}: listed in scripts/layout.py, but it has a test file; remove the entry"


def machine_paths() -> Iterator[str]:
    """Give the lines that name a path of one machine."""
    for file in project_files():
        try:
            lines = file.read_text("utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            if ONE_MACHINE.search(line):
                yield f"{file.relative_to(ROOT)}:{number}: names a path of one machine"


def _modules() -> Iterator[Path]:
    for file in project_files(*(f"{package}/*.py" for package in PACKAGES)):
        if file.name not in {"__init__.py", "__main__.py"}:
            yield file.relative_to(ROOT)


def _test_of(module: Path) -> Path:
    return Path("tests") / module.parent / f"test_{module.name}"


def main() -> int:
    """Print what breaks a rule; the exit code says whether anything does."""
    wrong = [*untested_modules(), *machine_paths()]
    print("\n".join(wrong) or "layout: every module has its tests")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
