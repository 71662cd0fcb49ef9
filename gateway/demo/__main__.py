"""`python -m gateway.demo`: the demo as a child of `gateway dev`."""

import sys
from typing import NoReturn

from gateway_process.entry import begin


def _main() -> int:
    from gateway.demo.program import DEMO
    from gateway_process.program import main

    return main(DEMO, _command)


def _command() -> NoReturn:
    sys.exit("gateway.demo is started by `gateway dev`; run that")


if __name__ == "__main__":
    begin()
    sys.exit(_main())
