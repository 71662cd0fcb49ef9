"""What the gateway costs, beside a C loop of `send()` in the same run: `make bench`.

::

    publisher (this process) -> gateway -> load.c     4,000 browsers, one group
                                floor.c -> load.c     as many sockets, send() and nothing else
    load.c -> gateway -> worker (echo) -> load.c      1,000 browsers, round trips

`programs` starts and measures processes, `crowd` drives load.c, `stage` puts everything up, `cases` holds
one module per thing that is measured, `echo` is what the worker runs, `table` prints and writes what came
out. CPU is what the kernel
charges to the measured process alone; wherever a C loop stands beside it, both are measured in turns
and the middle of the rounds counts, so that a busy machine disturbs both alike. Linux only, loopback
only, and bounded in time.
"""
