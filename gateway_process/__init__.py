"""How a daemon runs: settings, logging, listening sockets, one process or several under a supervisor.

Nothing in here knows what a register or a gateway is. A role (the thing that runs) declares its
settings once, as a frozen dataclass, and implements `daemon.Role`; a `program.Program` ties both to
a package name. The rest follows: flags, `--help`, environment and file keys, the `ready` line,
signals, children and exit codes.

Where to look::

    errors    exit codes and the errors that carry them
    settings  `setting()`, `Settings`: how settings are declared      shared  settings all roles have
    kinds, addresses, secret  the types a setting may have and how each is written
    sources, loader  flags over environment over file over default    flags   click options, --help
    logs, rlimit, sockets, holder  what a process needs before it serves
    daemon    one role in this process: start, signals, ready, stop
    channel, child, backoff, supervisor, shadow  N processes under one
    entry     where a command begins, before it imports anything heavy
    program   the front door: `run(program, loader)` and `main(program, command)`

Nothing here imports uvloop before a loop is made; only `flags`, `admin_commands` and `program.main` need click.
"""
