"""The language of the cluster, without input or output.

What two processes of the cluster say to each other is defined here once: client ids, the
command catalogue, frames, the mutual hello, the link's state machine and the limits. Nothing
here opens a socket or reads a clock; :mod:`gateway_wire.aio` is the asyncio shell. Outside
that shell only the standard library and msgpack are imported, so that any program can speak
to the cluster with this package alone. ``docs/protocol.md`` says the same for other languages.
"""
