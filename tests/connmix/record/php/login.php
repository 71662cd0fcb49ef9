<?php
// Lets a user log in: `{"op":"userauth"}` gets a `user_id`, anything else is answered with its op; "bye" ends.
//     login.php REGISTER

require __DIR__ . '/client.php';

$client = client();
$unanswered = 1; // that of the topics, which goes out before anything else
$ends = false;
consume($client, ['foo'], function (\Connmix\AsyncNodeInterface $node) use ($client, &$unanswered, &$ends) {
    $message = $node->message();
    tell($message);
    if (!is_event($message)) {
        if (--$unanswered == 0 && $ends) {
            $client->close();
        }
        return;
    }
    $clientID = $message->clientID();
    $op = $message->data()['frame']['data']['op'] ?? '';
    if ($op == 'userauth') {
        $node->setContextValue($clientID, 'user_id', 1000);
        $unanswered++;
        return;
    }
    if ($op == 'rename' && method_exists($node, 'setContext')) {
        $node->setContext($clientID, ['name' => "J\u{f6}rg", 'roles' => ['admin', 'user'], 'limits' => ['rate' => 1.5]]);
        $unanswered++;
    }
    $ends = $op == 'bye';
    $node->meshSend($clientID, json_encode(['op' => $op, 'uid' => $message->data()['uid'] ?? null]));
    $unanswered++;
});
