<?php
// Does to the sender what it says: join, publish, leave; "bye" ends.
//     channels.php REGISTER

require __DIR__ . '/client.php';

$client = client();
consume($client, ['foo'], function (\Connmix\AsyncNodeInterface $node) use ($client) {
    $message = $node->message();
    tell($message);
    if (!is_event($message)) {
        return;
    }
    $clientID = $message->clientID();
    switch ($message->data()['frame']['data']) {
        case 'join':
            $node->subscribe($clientID, 'user_10001', 'news');
            break;
        case 'publish':
            $node->meshPublish('user_10001', '{"broadcast":"ok"}');
            break;
        case 'leave':
            $node->unsubscribe($clientID, 'user_10001');
            break;
        case 'bye':
            $client->close();
    }
});
