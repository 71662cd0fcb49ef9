import sys
from dataclasses import replace

from probe.role import PROBE, ProbeSettings  # type: ignore[import-not-found]  # found by PYTHONPATH

from gateway_process.loader import Loaded
from gateway_process.program import children_of, prepare, supervise

if __name__ == "__main__":
    settings = prepare(Loaded(ProbeSettings(), ()))
    other = replace(PROBE, name="echo")
    sys.exit(supervise("dev", [*children_of(PROBE, settings), *children_of(other, settings)]))
