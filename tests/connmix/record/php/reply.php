<?php
// Consumes `foo` and answers each message with what it got; ends after so many answers of the server.
//     reply.php REGISTER ANSWERS

require __DIR__ . '/client.php';

$client = client();
$left = (int)$argv[2];
consume($client, ['foo'], function (\Connmix\AsyncNodeInterface $node) use ($client, &$left) {
    $message = $node->message();
    tell($message);
    if (is_event($message)) {
        $node->meshSend($message->clientID(), sprintf('received: %s', $message->data()['frame']['data'] ?? ''));
    } elseif (--$left == 0) {
        $client->close();
    }
});
