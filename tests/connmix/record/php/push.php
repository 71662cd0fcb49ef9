<?php
// Sends and publishes of its own accord, without consuming anything.
//     push.php REGISTER CLIENT_ID

require __DIR__ . '/client.php';

$client = client();
$clientID = (int)$argv[2];
with_nodes($client, function () use ($client, $clientID) {
    $node = node($client);
    if (is_short($node)) {
        tell($node->subscribe($clientID, 'user_10001'));
        tell($node->setContextValue($clientID, 'user_id', 1000));
        tell($node->meshPublish('user_10001', '{"broadcast":"ok"}'));
        tell($node->send('mesh.publish', ['c' => 'user_10001', 'd' => 'raw']));
        tell($node->unsubscribe($clientID, 'user_10001'));
        tell($node->setContext($clientID, []));
    } else {
        $names = method_exists(\Connmix\AsyncNodeInterface::class, 'consume') ? ['func', 'args'] : ['method', 'params'];
        tell($node->send('conn.call', ['client_id' => $clientID, $names[0] => 'subscribe', $names[1] => ['user_10001']]));
        tell($node->meshPublish('user_10001', '{"broadcast":"ok"}'));
        tell($node->send('mesh.publish', ['channel' => 'user_10001', 'data' => 'raw']));
    }
    tell($node->meshPublish('nobody', 'is there'));
    $node = node($client);
    tell($node->meshSend($clientID, '{"result":"ok"}'));
    tell($node->meshSend($clientID, str_repeat('0123456789', 410)));
    tell($node->meshSend(1000, 'test'));
    tell($node->send('server.ping'));
    $node->close();
    $client->close();
});
