import resource
import subprocess
import sys

from gateway_process.rlimit import HIGHEST, raise_open_files


def test_soft_limit_is_raised_to_the_hard_one() -> None:
    """A process that starts with few files ends up with as many as it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    code = "from gateway_process.rlimit import raise_open_files as r; print(r(0))"
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, min(hard, 4096))),
    )
    assert result.stdout == f"({min(hard, 4096)}, None)\n"


def test_a_low_limit_warns_with_the_remedy() -> None:
    """A limit below what is wanted is told with the places to raise it."""
    limit, warning = raise_open_files(wanted=HIGHEST + 1)
    assert warning is not None
    assert warning.startswith(f"only {limit} files may be open")
    assert "LimitNOFILE" in warning
