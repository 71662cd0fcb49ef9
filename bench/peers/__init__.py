"""The gateways and libraries that people would take otherwise, beside ours: `make bench-peers`.

::

    publisher (this process) -> peer    -> load.c     one crowd, everybody in one group
                                floor.c -> load.c     as many sockets, send() and nothing else

`catalogue` names the peers, `installing` brings them from the registries into build/bench/peers, `servers/`
holds for each one a small server in its own idiom, `contestants` starts them and ours behind one
interface, `trial` measures one beside the C loop, `report` prints and writes what came out. Nothing of a
peer lies in this tree, and nothing here is part of what `make bench` needs. A peer that cannot be had or
fails is reported with the reason, and the run goes on.
"""
