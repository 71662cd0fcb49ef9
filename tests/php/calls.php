<?php
// Calls the methods that are named on stdin, and says on stdout what they return: a line each, Base64 of
// what serialize() makes of [method, arguments] and of [null, result] or [error, null].
//
//   php calls.php REGISTER [SECRET_KEY]

declare(strict_types=1);

require __DIR__ . '/gateway.php';

$cluster = new Cluster($argv[1], $argv[2] ?? '');
$gateway = new Gateway($cluster);

while (($line = fgets(STDIN)) !== false) {
    [$method, $arguments] = unserialize(base64_decode(trim($line)));
    $object = method_exists($cluster, $method) ? $cluster : $gateway;
    try {
        $answer = [null, $object->$method(...array_values($arguments))];
    } catch (Exception $error) {
        $answer = [$error->getMessage(), null];
    }
    echo base64_encode(serialize($answer)), "\n";
}
