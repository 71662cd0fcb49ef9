<?php
// A worker as a PHP application has it: it tells of each event on stdout, a line of JSON each, and does
// what messages ask for.
//
//   php worker.php REGISTER NAME [SECRET_KEY]

declare(strict_types=1);

require __DIR__ . '/cluster.php';

[, $address, $name] = $argv;
$secretKey = $argv[3] ?? '';
$register = (new Cluster($address, $secretKey))->watch();
$links = [];
introduce(told($register));
say('ready worker gateways=' . count($links));

while (true) {
    $readable = array_column([$register, ...array_values($links)], 'socket');
    $none = null;
    stream_select($readable, $none, $none, null);
    if (in_array($register->socket, $readable, true)) {
        introduce(told($register));
        say(json_encode(['event' => 'gateways', 'count' => count($links)]));
    }
    foreach ($links as $at => $link) {
        if (in_array($link->socket, $readable, true)) {
            serve($at, $link);
        }
    }
}

/** Makes a link to each gateway that has none yet, and ends those to gateways that have gone. */
function introduce(array $addresses): void
{
    global $links, $name, $secretKey;
    $links = array_intersect_key($links, array_flip($addresses));
    foreach (array_diff($addresses, array_keys($links)) as $address) {
        $links[$address] = new Link($address);
        $links[$address]->show($secretKey, WORKER_CONNECT, ['worker_key' => $name]);
    }
}

function serve(string $address, Link $link): void
{
    global $links;
    try {
        handle($link, $link->event());
    } catch (RuntimeException) {
        unset($links[$address]);
    }
}

function handle(Link $link, array $event): void
{
    $names = [ON_CONNECT => 'connect', ON_WEBSOCKET_CONNECT => 'websocket', ON_MESSAGE => 'message', ON_CLOSE => 'close'];
    if ($event['command'] === PING) {
        return;
    }
    $told = ['event' => $names[$event['command']], 'client_id' => $event['client_id']];
    $more = ['session' => $event['session'], 'body' => $event['body'], 'from' => long2ip($event['client_ip'])];
    say(json_encode($told + $more + ['port' => $event['gateway_port']]));
    if ($event['command'] === ON_MESSAGE) {
        obey($link, $event['connection'], $event['session'], ...explode(' ', $event['body'], 2));
    }
}

function obey(Link $link, int $client, array $session, string $order, string $argument = ''): void
{
    match ($order) {
        'echo' => $link->frame(SEND_TO_ONE, $client, body: $argument),
        'bind' => $link->frame(BIND_UID, $client, $argument),
        'join' => $link->frame(JOIN_GROUP, $client, $argument),
        'count' => $link->frame(SET_SESSION, $client, serialize(['count' => ($session['count'] ?? 0) + 1] + $session)),
        'publish' => $link->frame(SEND_TO_GROUP, 0, json_encode(['group' => [$argument], 'exclude' => null]), $argument),
        'close' => $link->frame(KICK, $client, body: $argument),
        'destroy' => $link->frame(DESTROY, $client),
    };
}

function say(string $line): void
{
    fwrite(STDOUT, "$line\n");
}
