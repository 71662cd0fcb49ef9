<?php
// GatewayWorker's protocol from the side of PHP programs, in as few lines as it takes and without any
// client library: what a register is asked, frames to gateways, their answers and their events.

declare(strict_types=1);

const ON_CONNECT = 1;
const ON_MESSAGE = 3;
const ON_CLOSE = 4;
const SEND_TO_ONE = 5;
const SEND_TO_ALL = 6;
const KICK = 7;
const DESTROY = 8;
const UPDATE_SESSION = 9;
const GET_ALL_CLIENT_SESSIONS = 10;
const IS_ONLINE = 11;
const BIND_UID = 12;
const UNBIND_UID = 13;
const SEND_TO_UID = 14;
const GET_CLIENT_ID_BY_UID = 15;
const BATCH_GET_CLIENT_ID_BY_UID = 16;
const JOIN_GROUP = 20;
const LEAVE_GROUP = 21;
const SEND_TO_GROUP = 22;
const GET_CLIENT_SESSIONS_BY_GROUP = 23;
const GET_CLIENT_COUNT_BY_GROUP = 24;
const SELECT = 25;
const GET_GROUP_ID_LIST = 26;
const UNGROUP = 27;
const BATCH_GET_CLIENT_COUNT_BY_GROUP = 28;
const WORKER_CONNECT = 200;
const PING = 201;
const GATEWAY_CLIENT_CONNECT = 202;
const GET_SESSION_BY_CLIENT_ID = 203;
const SET_SESSION = 204;
const ON_WEBSOCKET_CONNECT = 205;

const SCALAR = 1;
const RAW = 2;

const HEAD = 28;
const PATIENCE = 20; // seconds before a script gives up on a machine that is busy

set_error_handler(static function (int $level, string $message, string $file, int $line): never {
    throw new ErrorException($message, 0, $level, $file, $line);
});

/** A connection to a register or a gateway. */
final class Link
{
    /** @var resource */
    public $socket;

    public function __construct(string $address)
    {
        $this->socket = stream_socket_client("tcp://$address", timeout: PATIENCE);
        stream_set_timeout($this->socket, PATIENCE);
    }

    public function frame(
        int $command,
        int $connection = 0,
        string $ext = '',
        string $body = '',
        int $flags = SCALAR
    ): void {
        $length = HEAD + strlen($ext) + strlen($body);
        $head = [$length, $command, 0, 0, 0, 0, $connection, $flags, 0, strlen($ext)];
        $this->write(pack('NCNnNnNCnN', ...$head) . $ext . $body);
    }

    public function show(string $secretKey, int $command = GATEWAY_CLIENT_CONNECT, array $more = []): void
    {
        $this->frame($command, body: json_encode(['secret_key' => $secretKey] + $more));
    }

    public function answer(): mixed
    {
        $size = unpack('N', $this->read(4))[1];
        return unserialize($this->read($size), ['allowed_classes' => false]);
    }

    /** The next event for a worker: its head's fields, `session` and `body`. */
    public function event(): array
    {
        $form = 'Nlength/Ccommand/Nip/nport/Nclient_ip/nclient_port/Nconnection/Cflags/ngateway_port/Next';
        $event = unpack($form, $this->read(HEAD));
        $session = $this->read($event['ext']);
        $body = $this->read($event['length'] - HEAD - $event['ext']);
        $event['session'] = $session === '' ? [] : unserialize($session);
        $event['body'] = $event['flags'] & SCALAR ? $body : unserialize($body);
        $event['client_id'] = client_id(long2ip($event['ip']) . ":{$event['port']}", $event['connection']);
        return $event;
    }

    public function write(string $data): void
    {
        $this->closed_unless(fn () => fwrite($this->socket, $data) === strlen($data));
    }

    /** The next line of a register. */
    public function line(): string
    {
        $this->closed_unless(function () use (&$line) {
            return $line = fgets($this->socket);
        });
        return $line;
    }

    private function read(int $size): string
    {
        $this->closed_unless(function () use (&$data, $size) {
            $data = $size === 0 ? '' : stream_get_contents($this->socket, $size);
            return strlen($data) === $size;
        });
        return $data;
    }

    /** How a closed connection shows depends on the moment: nothing is read, or an error is told. */
    private function closed_unless(callable $done): void
    {
        try {
            $is_done = $done();
        } catch (ErrorException $error) {
            $is_done = false;
        }
        if (!$is_done) {
            throw new RuntimeException('the other side has closed the connection', 0, $error ?? null);
        }
    }
}

/** The gateways that a register knows, and what they are asked: each time on a connection of its own. */
final class Cluster
{
    public function __construct(private string $register, private string $secretKey = '')
    {
    }

    /** @return string[] */
    public function addresses(): array
    {
        return told($this->watch());
    }

    /** A link to the register that tells of the gateways, now and at each change. */
    public function watch(): Link
    {
        $register = new Link($this->register);
        $hello = ['event' => 'worker_connect', 'secret_key' => $this->secretKey];
        $register->write(json_encode($hello) . "\n");
        return $register;
    }

    /** Sends a frame about a client to its gateway, and waits until it has done what was asked. */
    public function tell(string $clientId, int $command, string $ext = '', string $body = ''): void
    {
        [$address, $connection] = place($clientId);
        $this->send($address, [$command, $connection, $ext, $body]);
    }

    /** Sends a client something and hangs up at once. */
    public function leave(string $clientId, string $message): void
    {
        [$address, $connection] = place($clientId);
        $this->link($address)->frame(SEND_TO_ONE, $connection, '', $message);
    }

    /** The same as `tell` with all gateways; `$ext` may be another one for each address. */
    public function tellAll(int $command, string|callable $ext, string $body, int $flags = SCALAR): void
    {
        foreach ($this->addresses() as $address) {
            $here = is_string($ext) ? $ext : $ext($address);
            $this->send($address, [$command, 0, $here, $body, $flags]);
        }
    }

    public function send(string $address, array $frame): void
    {
        $link = $this->link($address);
        $link->frame(...$frame);
        $link->frame(IS_ONLINE);
        $link->answer();
    }

    public function ask(string $clientId, int $command): mixed
    {
        [$address, $connection] = place($clientId);
        return $this->answer($address, [$command, $connection]);
    }

    /** What each gateway answers, by its address. */
    public function askAll(int $command, string $ext = ''): array
    {
        $addresses = $this->addresses();
        $answer = fn (string $address) => $this->answer($address, [$command, 0, $ext]);
        return array_combine($addresses, array_map($answer, $addresses));
    }

    public function link(string $address): Link
    {
        $link = new Link($address);
        if ($this->secretKey !== '') {
            $link->show($this->secretKey);
        }
        return $link;
    }

    private function answer(string $address, array $frame): mixed
    {
        $link = $this->link($address);
        $link->frame(...$frame);
        return $link->answer();
    }
}

/** @return string[] */
function told(Link $register): array
{
    return json_decode($register->line(), true, flags: JSON_THROW_ON_ERROR)['addresses'];
}

/** Where a client is: the address of its gateway, and its number there. */
function place(string $clientId): array
{
    ['ip' => $ip, 'port' => $port, 'connection' => $connection] =
        unpack('Nip/nport/Nconnection', hex2bin($clientId));
    return [long2ip($ip) . ":$port", $connection];
}

function client_id(string $address, int $connection): string
{
    [$host, $port] = explode(':', $address);
    return bin2hex(pack('NnN', ip2long($host), (int) $port, $connection));
}
