"""Record conversations anew.

    python -m tests.connmix.record CLIENTS [NAME ...]

CLIENTS holds a folder of each version with the client in it, as Composer installs it (`1.0.5/vendor`).
NAMEs choose scenarios (`reply`) or conversations (`1.0.5-reply`); all without one.
"""

import sys
from pathlib import Path
from typing import Final

from tests.connmix.conversation import write
from tests.connmix.record.recorder import Recorder
from tests.connmix.record.scenarios import SCENARIOS, VERSIONS, Scenario
from tests.connmix.stage import HERE, Stage

FILES: Final = HERE / "conversations"


def record(clients: Path, version: str, scenario: Scenario) -> Path:
    """Record one conversation."""
    with Stage() as stage, Recorder(stage, version, clients) as recorder:
        recorder.begin(" ".join((scenario.__doc__ or "").split()))
        scenario(recorder)
        recorder.end()
        file = FILES / f"{version}-{scenario.__name__}.jsonl"
        write(file, recorder.steps)
        return file


def main(clients: str, *names: str) -> None:
    """Record what is named."""
    for version in VERSIONS:
        for scenario in SCENARIOS:
            name = scenario.__name__
            if not names or {name, f"{version}-{name}"} & set(names):
                print(record(Path(clients), version, scenario))  # noqa: T201 - it is a command


if __name__ == "__main__":
    main(*sys.argv[1:])
