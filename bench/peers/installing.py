"""Bring peers from the registries into build/bench/peers, as servers/ pins them; tell what is there.

npm and pip install into folders of their own, so that the project's environment knows nothing of
peers; scripts of packages are not run. Nchan is a module of the system's nginx, which `make bench-peers`
installs where it may. What was installed once stays until its pins change.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.peers.catalogue import Kind
from bench.programs import BUILD, BenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.peers.catalogue import Contestant

__all__ = ["FOLDER", "NCHAN", "NGINX", "NODE_MODULES", "PYTHON", "SERVERS", "install"]

SERVERS: Final = Path(__file__).parent / "servers"
FOLDER: Final = BUILD / "peers"
"""Where peers lie, each kind in a folder of its own."""

NODE_MODULES: Final = FOLDER / "node" / "node_modules"
PYTHON: Final = FOLDER / "python" / "bin" / "python"
NGINX: Final = "/usr/sbin/nginx"
"""Where Debian has it, which is not on the path of ordinary users."""

NCHAN: Final = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
"""The module that servers/nchan.conf loads."""

PATIENCE: Final = 300.0
"""Seconds that an installation may take: minutes where a registry is slow."""


def install(contestant: Contestant) -> str:
    """Install a contestant where it is not there yet; give its version.

    Raises:
        BenchError: If it cannot be had here; the text says why.
    """
    return _VERSIONS[contestant.kind](contestant.package)


def _node(package: str) -> str:
    _once(["package.json", "package-lock.json"], FOLDER / "node", _npm_ci)
    manifest = json.loads((NODE_MODULES / package / "package.json").read_text())
    return str(manifest["version"])


def _python(package: str) -> str:
    _once(["requirements.txt"], FOLDER / "python", _pip_install)
    pins = (SERVERS / "requirements.txt").read_text().split()
    return next(pin.split("==")[1] for pin in pins if pin.startswith(f"{package}=="))


def _nginx(package: str) -> str:
    if not Path(NGINX).exists() or not NCHAN.exists():
        raise BenchError(f"nginx with {NCHAN.name} is not installed (Debian: {package})")
    command = ["dpkg-query", "-W", "-f", "${Version}", package]
    try:
        version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return "of unknown version"
    return version.rpartition(":")[2]  # before a colon stands how often Debian counted anew


_VERSIONS: Final[dict[Kind, Callable[[str], str]]] = {
    Kind.OURS: metadata.version,
    Kind.NODE: _node,
    Kind.PYTHON: _python,
    Kind.NGINX: _nginx,
}


def _once(pins: Sequence[str], folder: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder, unless it was filled for the same pins."""
    if all(_is_same(SERVERS / name, folder / name) for name in pins):
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    fill(folder)
    for name in pins:  # last: now the folder is whole
        shutil.copy(SERVERS / name, folder)


def _is_same(file: Path, copy: Path) -> bool:
    return copy.exists() and copy.read_bytes() == file.read_bytes()


def _npm_ci(folder: Path) -> None:
    pins = folder / "pins"
    pins.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SERVERS / name, pins)
    flags = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"]
    _run(["npm", "ci", *flags], pins)
    (pins / "node_modules").rename(folder / "node_modules")
    shutil.rmtree(pins)


def _pip_install(folder: Path) -> None:
    _run([sys.executable, "-m", "venv", folder], folder)
    flags = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    _run([PYTHON, "-m", "pip", "install", *flags, "-r", SERVERS / "requirements.txt"], folder)


def _run(command: Sequence[str | Path], folder: Path) -> None:
    program = Path(command[0]).name
    log = FOLDER / f"{program}.log"
    try:
        with log.open("wb") as out:
            subprocess.run(
                command, cwd=folder, check=True, stdout=out, stderr=out, timeout=PATIENCE
            )
    except FileNotFoundError:
        raise BenchError(f"{program} is not installed") from None
    except subprocess.CalledProcessError as error:
        raise BenchError(f"{program} failed (exit code {error.returncode}); see {log}") from None
    except subprocess.TimeoutExpired:
        raise BenchError(f"{program} did not end within {PATIENCE:g} s; see {log}") from None
