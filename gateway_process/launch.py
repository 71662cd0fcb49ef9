"""Launching an instance: settings, background or not, log, pid file and control socket; then the work.

    launch(program, package, loader, serve)
        -d      in_background ── the daemon: prepare, claim, serve
        else    prepare, claim (or a warning where nothing can be written), serve

What is served, alone or by a supervisor, is `program`'s business; this module knows neither.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from gateway_process import logs
from gateway_process.daemonize import Report, in_background
from gateway_process.errors import ExitCode, ProcessError, StartupError
from gateway_process.instance import Claim, Instance, RunDir, RunDirUnusable
from gateway_process.loader import Loaded, Loader
from gateway_process.rlimit import raise_open_files
from gateway_process.settings import Settings, specs_of
from gateway_process.shared import SharedSettings

__all__ = ["Launch", "kept_arguments", "launch", "prepare", "rehearsal", "say"]

logger = logging.getLogger(__package__)

S = TypeVar("S", bound=SharedSettings)
GIVEN_ANEW: Final = frozenset({"-d", "--daemon", "--name", "--run-dir"})
"""Flags of a command line that a restart gives by itself."""


_rehearsing: Final = ContextVar("rehearsing", default=False)


@contextmanager
def rehearsal() -> Iterator[None]:
    """Have start commands read their settings and start nothing: a restart tries them so first."""
    token = _rehearsing.set(True)
    try:
        yield
    finally:
        _rehearsing.reset(token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch(Generic[S]):
    """What is served with.

    Attributes:
        loader: where the settings are; a reload looks there again.
        settings: what they are now.
        claim: the instance; None where it has no files.
        tell: takes the line that says it is ready.
        background: whether it was started with `-d`.
    """

    loader: Loader[S]
    settings: S
    claim: Claim | None
    tell: Callable[[str], None]
    background: bool


def launch(
    program: str,
    package: str,
    loader: Loader[S],
    serve: Callable[[Launch[S]], ExitCode],
    *,
    daemon: bool,
) -> ExitCode:
    """Become an instance and serve to the end; with `-d` the command returns when it is ready.

    Args:
        program: the program's name, which is the instance's unless the settings say another.
        package: `python -m` of it starts the instance again.
        loader: where its settings are.
        serve: does the work.
        daemon: go on in the background.

    Raises:
        ProcessError: what kept it from starting, or what `serve` raised.
    """
    if daemon and os.name != "posix":
        raise StartupError("-d needs a POSIX system; leave it out to run in the foreground")
    start = _Start(program, package, loader, serve)
    if _rehearsing.get():
        return ExitCode.OK
    return start.behind() if daemon else start.here()


class _Start(Generic[S]):
    def __init__(
        self, program: str, package: str, loader: Loader[S], serve: Callable[[Launch[S]], ExitCode]
    ) -> None:
        self._loaded = loader.load()
        self._program = program
        self._package = package
        self._name = self._loaded.settings.name or program
        self._loader = loader
        self._work = serve

    def here(self) -> ExitCode:
        settings = prepare(self._loaded)
        try:
            return self._serve(settings, self._claimed_or_not(settings), say)
        except ProcessError as error:
            if settings.log_file is not None:  # else the command tells it where the log is
                logger.error("%s", error)  # noqa: TRY400 -- one line says it all
            raise

    def behind(self) -> ExitCode:
        run_dir = RunDir(self._loaded.settings.run_dir)
        run_dir.make()
        for warning in self._loaded.warnings:
            sys.stderr.write(f"{self._program}: {warning}\n")
        log = self._loaded.settings.log_file or run_dir.log_of(self._name)
        self._loader = self._loader.with_defaults(log_file=str(log))

        def work(report: Report) -> ExitCode:
            settings = prepare(self._loader.load())
            claim = run_dir.claim(self._instance(settings, background=True))
            return self._serve(settings, claim, report.ready)

        return in_background(work, self._program, log)

    def _serve(self, settings: S, claim: Claim | None, tell: Callable[[str], None]) -> ExitCode:
        background = claim is not None and claim.instance.background
        try:
            return self._work(
                Launch(
                    loader=self._loader,
                    settings=settings,
                    claim=claim,
                    tell=tell,
                    background=background,
                )
            )
        finally:
            if claim is not None:
                claim.release()

    def _claimed_or_not(self, settings: S) -> Claim | None:
        """Claim the name; where nothing can be written, as in many a container, go on without."""
        if os.name != "posix":
            return None
        run_dir = RunDir(settings.run_dir)
        try:
            run_dir.make()
            return run_dir.claim(self._instance(settings, background=False))
        except RunDirUnusable as error:
            logger.warning("%s; without it, stop and status do not find this instance", error)
            return None

    def _instance(self, settings: S, *, background: bool) -> Instance:
        arguments, left_out = kept_arguments(sys.argv[1:], type(settings))
        return Instance(
            name=self._name,
            program=self._program,
            package=self._package,
            pid=os.getpid(),
            since=time.time(),
            arguments=tuple(arguments),
            left_out=tuple(left_out),
            background=background,
            folder=os.getcwd(),  # noqa: PTH109 -- as it is, links and all
            stop_timeout=settings.stop_timeout,
        )


def kept_arguments(
    arguments: Sequence[str], settings: type[Settings]
) -> tuple[list[str], list[str]]:
    """Give what of a command line may be kept in a file, and the flags of secrets that were left out.

    Args:
        arguments: as they were typed, without the program.
        settings: the class whose flags may stand there.
    """
    specs = specs_of(settings)
    secret = {f"--{_dashed(name)}" for spec in specs if spec.is_secret for name in spec.names}
    valued = {f"--{_dashed(name)}" for spec in specs if not spec.is_switch for name in spec.names}
    valued |= {f"--{_dashed(spec.file_variant)}" for spec in specs if spec.file_variant}
    valued |= {"-c", "--config"}
    kept: list[str] = []
    left_out: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        flag, equals, _ = argument.partition("=")
        words = [argument, *([next(rest, "")] if flag in valued and not equals else [])]
        if flag in secret:
            left_out.append(flag)
        elif flag not in GIVEN_ANEW:
            kept += words
    return kept, left_out


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def prepare(loaded: Loaded[S]) -> S:
    """Make this process ready for what its settings say: log, warnings, limit of open files."""
    settings = loaded.settings
    logs.set_up(settings.log_level, settings.log_format, settings.log_file)
    limit, low = raise_open_files()
    logger.debug("open files: %s", limit)
    for warning in (*loaded.warnings, *([low] if low else [])):
        logger.warning("%s", warning)
    return settings


def say(line: str) -> None:
    """Print a line past Python's buffer: nobody may be listening, and that must not end a daemon."""
    with suppress(OSError):
        os.write(1, f"{line}\n".encode())
