<?php
// The scripts' common ground: the versions of the client differ in names, and only here.
//
// Each script gets the register's address as its first argument, and says on stdout, a line each,
// what the client made of what it received.

require getenv('CONNMIX_AUTOLOAD');

set_error_handler(function ($level, $message, $file, $line) {
    if (error_reporting() & $level & ~E_DEPRECATED) {
        fwrite(STDERR, "$message in $file:$line\n");
        exit(1);
    }
});

function say(...$facts): void
{
    echo json_encode($facts, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\n";
}

function client(): \Connmix\Client
{
    return \Connmix\ClientBuilder::create()->setHost($GLOBALS['argv'][1])->build();
}

/** Consumes as the version's README does. */
function consume(\Connmix\Client $client, array $topics, callable $onMessage): void
{
    if (!method_exists($client, 'on')) {
        $client->consume(...$topics)->then($onMessage, 'tell_error');
        return;
    }
    $onConnect = function (\Connmix\AsyncNodeInterface $node) use ($topics) {
        is_short($node) ? $node->pop(...$topics) : $node->consume(...$topics);
    };
    $client->on($onConnect, $onMessage, 'tell_error');
    $client->run();
}

/** The node for what is sent of one's own accord. */
function node(\Connmix\Client $client): \Connmix\SyncNodeInterface
{
    return method_exists($client, 'random') ? $client->random() : $client->node(null);
}

/** Does something once the client knows the nodes: 1.0.4 asks for them only when it runs. */
function with_nodes(\Connmix\Client $client, callable $push): void
{
    if (!method_exists($client, 'on') || method_exists($client, 'parse')) {
        $push();
        return;
    }
    $client->on($push, 'tell', 'tell_error');
    $client->run();
}

/** Whether the version speaks the short keys. */
function is_short(object $node): bool
{
    return method_exists($node, 'pop') || method_exists($node, 'setContext') && !method_exists($node, 'consume');
}

function is_event(\Connmix\MessageInterface $message): bool
{
    return in_array($message->type(), ['event', 'consume']);
}

/** Says what kind of message came, and what is in it. */
function tell(\Connmix\MessageInterface $message): void
{
    if (is_event($message)) {
        $topic = method_exists($message, 'topic') ? $message->topic() : $message->queue();
        say($message->type(), $topic, $message->data()['frame']);
    } elseif ($message->type() == 'error') {
        say('error', $message->id(), $message->error());
    } else {
        say($message->type(), $message->id(), $message->success(), $message->fail(), $message->total());
    }
}

/** Says what went wrong between messages. */
function tell_error(\Throwable $error): void
{
    say('error', preg_replace('~127[.]0[.]0[.]1:\d+~', 'ADDRESS', $error->getMessage()));
}
