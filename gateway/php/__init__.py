"""GatewayWorker's own protocol, which its PHP clients and workers speak.

    values    what `serialize` of PHP writes, for plain values      sessions  PHP's arrays as our sessions

Rule: the core of a gateway knows nothing of this package, and it stands on no client.
"""
