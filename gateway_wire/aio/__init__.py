"""The asyncio shell of the links: sockets, timers and tasks around the sans-I/O core."""
