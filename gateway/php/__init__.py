"""GatewayWorker's own protocol, which its PHP clients and workers speak.

    frames    where one ends in a stream            values    what `serialize` of PHP writes
    events    what workers are told of clients      sessions  PHP's arrays as our sessions
                                                    query     queries and cookies as PHP's arrays

Rule: the core of a gateway knows nothing of this package, and it stands on no client.
"""
