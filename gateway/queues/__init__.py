"""What browsers send, in queues by topic, until whoever consumes a topic has dealt with it.

Pure and synchronous: no sockets, no clock. What it does and why is in :mod:`gateway.queues.queues`.
"""
