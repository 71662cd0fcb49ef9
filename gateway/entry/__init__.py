"""The entry module: code of the application that runs in the gateway itself, before workers and queues.

`module` loads it, `runner` calls it for each connection in order, `limit` and `allowance` keep it from
holding up others, `conn`, `waiting` and `names` are what it touches. docs/entry.md is the guide.
"""
