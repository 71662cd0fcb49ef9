"""CONNMIX's API without its sockets: what its clients say, what they are answered, what they consume.

    requests  a frame without its envelope      dialects  the spellings of answers and events
    methods   from its parameters to what is    codes     what can be wrong, by number
    values      wanted, one value at a time     popper    one connection as a consumer of queues
    wanted    what may be wanted

Rule: pure. `gateway.admin.connmix` has the HTTP port and asks the cluster. The wire is documented in
`docs/connmix-api.md`.
"""
