"""The blocking client: plain sockets, polled in the thread that calls."""
