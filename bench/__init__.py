"""What the gateway costs, beside a C loop of `send()` in the same run: `make bench`.

::

    publisher (this process) -> gateway -> load.c     4,000 browsers, one group
                                floor.c -> load.c     as many sockets, send() and nothing else
    load.c -> gateway -> worker (echo) -> load.c      1,000 browsers, round trips

`programs` starts and measures processes, `cluster` those of ours, `crowd` drives load.c, `stage` puts up what
most cases need, `turns` measures deliveries, `cases` holds one module per kind of thing that is measured,
`echo` is what the worker runs, `table` prints and writes what came out, `plot` draws it. CPU is what the
kernel charges to the measured process alone; wherever a C loop stands beside it, both are measured in
turns, so that a busy machine disturbs both alike. Linux only, loopback only, and bounded in time.
"""
