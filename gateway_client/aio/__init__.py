"""The asyncio client: one set of links for each running loop."""
