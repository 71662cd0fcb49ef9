<?php
// Sends requests as they are given, `METHOD PARAMETERS` each, and ends when all are answered.
//     raw.php REGISTER METHOD JSON [METHOD JSON ...]

require __DIR__ . '/client.php';

$client = client();
$requests = array_chunk(array_slice($argv, 2), 2);
consume($client, ['foo'], function (\Connmix\AsyncNodeInterface $node) use ($client, &$requests) {
    tell($node->message());
    if (!$requests) {
        $client->close();
        return;
    }
    [$method, $params] = array_shift($requests);
    $node->send($method, json_decode($params, true));
});
