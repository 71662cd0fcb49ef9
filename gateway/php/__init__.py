"""GatewayWorker's own protocol, which its PHP clients and workers speak.

    part        makes and connects the parts
    link        one link, without input or output
    frames      where one ends in a stream             values    what `serialize` of PHP writes
    requests    what clients ask for, done             sessions  PHP's arrays as our sessions
      arguments   what frames say                      events    what workers are told of clients
      selection   SELECT: facts about some clients     query       queries and cookies as PHP's arrays
      answers     how answers are written            worker    BusinessWorkers as the router's workers

Rule: the core of a gateway knows nothing of this package, and it stands on no client.
"""
