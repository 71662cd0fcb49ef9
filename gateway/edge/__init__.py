"""The edge of the gateway: what browsers speak, behind one interface.

`interface` is the contract between the edge and the rest of the gateway, and
the only thing that the rest may know of it besides `server`, `options` and
`proxies`, with which a process opens its public ports. Nothing in this package
knows client ids, uids, groups, outboxes or links.

Bytes travel inwards through `listener` (accepting), `handshake` (one HTTP
request), `websocket` (an open connection); `upgrade` and `codec` are their
sans-I/O halves, and `deflate` is what both may agree to: `compressed` is a
connection that has. `ticker` is the one timer of all of them, `keepalive` and
`deadlines` are what it turns; `context` is what connections share.
"""
