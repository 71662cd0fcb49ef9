"""The HTTP port of one gateway process: health, metrics, and the HTTP API.

It reads what the other parts count and know, and changes nothing itself: the API goes through the client
library like any other caller, so that it answers for the whole cluster. ``sources`` says what is read,
``server`` puts the routes on a socket; ``health``, ``metrics`` and ``api`` answer.
"""
