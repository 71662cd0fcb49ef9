<?php
// The methods of GatewayClient 3.1 by their names, as what they say on the wire and what they make of the
// answers. Two of its 43 say nothing there: setBusinessWorker, and destoryCurrentClient outside an event.

declare(strict_types=1);

require __DIR__ . '/cluster.php';

final class Gateway
{
    private const ALIASES = [
        'getAllClientCount' => 'getAllClientIdCount',
        'getAllClientInfo' => 'getAllClientSessions',
        'getClientCountByGroup' => 'getClientIdCountByGroup',
        'getClientInfoByGroup' => 'getClientSessionsByGroup',
    ];

    public function __construct(private Cluster $cluster)
    {
    }

    public function __call(string $name, array $arguments): mixed
    {
        return $this->{self::ALIASES[$name]}(...$arguments);
    }

    // Sending and closing.

    public function sendToAll($message, $ids = null, $exclude = null, bool $raw = false): void
    {
        $flags = $raw ? SCALAR | RAW : SCALAR;
        if ($ids === null) {
            $without = by_gateway((array) $exclude);
            $choice = fn (string $at) => isset($without[$at]) ? json_encode(['exclude' => $without[$at]]) : '';
            $this->cluster->tellAll(SEND_TO_ALL, $choice, $message, $flags);
            return;
        }
        foreach (by_gateway(array_diff($ids, (array) $exclude)) as $address => $numbers) {
            $choice = json_encode(['connections' => $numbers]);
            $this->cluster->send($address, [SEND_TO_ALL, 0, $choice, $message, $flags]);
        }
    }

    public function sendToClient($id, $message): void
    {
        $this->cluster->tell($id, SEND_TO_ONE, '', $message);
    }

    public function sendToUid($uid, $message): void
    {
        $this->cluster->tellAll(SEND_TO_UID, json_encode((array) $uid), $message);
    }

    public function sendToGroup($group, $message, $exclude = null, bool $raw = false): void
    {
        $without = by_gateway((array) $exclude);
        $choice = fn (string $at) => json_encode(['group' => (array) $group, 'exclude' => $without[$at] ?? null]);
        $this->cluster->tellAll(SEND_TO_GROUP, $choice, $message, $raw ? SCALAR | RAW : SCALAR);
    }

    public function closeClient($id, $message = null): void
    {
        [$address, $number] = place($id);
        $body = $message ?? serialize(null);
        $this->cluster->send($address, [KICK, $number, '', $body, $message === null ? 0 : SCALAR]);
    }

    public function destoryClient($id): void
    {
        $this->cluster->tell($id, DESTROY);
    }

    // Uids.

    public function bindUid($id, $uid): void
    {
        $this->cluster->tell($id, BIND_UID, (string) $uid);
    }

    public function unbindUid($id, $uid): void
    {
        $this->cluster->tell($id, UNBIND_UID, (string) $uid);
    }

    public function isUidOnline($uid): int
    {
        return (int) (bool) $this->getClientIdByUid($uid);
    }

    public function isUidsOnline($uids): array
    {
        return array_map(fn (array $ids) => (int) (bool) $ids, $this->batchGetClientIdByUid($uids));
    }

    public function getClientIdByUid($uid): array
    {
        $found = [];
        foreach ($this->cluster->askAll(GET_CLIENT_ID_BY_UID, (string) $uid) as $address => $numbers) {
            array_push($found, ...ids_at($address, $numbers));
        }
        return $found;
    }

    public function batchGetClientIdByUid($uids): array
    {
        $found = [];
        foreach ($this->cluster->askAll(BATCH_GET_CLIENT_ID_BY_UID, json_encode($uids)) as $address => $rows) {
            foreach ($rows as $uid => $numbers) {
                $found[$uid] = [...$found[$uid] ?? [], ...ids_at($address, $numbers)];
            }
        }
        return $found;
    }

    public function getUidByClientId($id): ?string
    {
        [$address, $number] = place($id);
        $where = ['connection_id' => [$number => $number]];
        foreach ($this->select(['uid'], $where, [$address]) as $row) {
            return $row['uid'];
        }
        return null;
    }

    public function getAllUidList(): array
    {
        return $this->uids();
    }

    public function getAllUidCount(): int
    {
        return count($this->uids());
    }

    public function getUidListByGroup($group): array
    {
        return $this->uids(['groups' => (array) $group]);
    }

    public function getUidCountByGroup($group): int
    {
        return count($this->getUidListByGroup($group));
    }

    // Groups.

    public function joinGroup($id, $group): void
    {
        $this->cluster->tell($id, JOIN_GROUP, (string) $group);
    }

    public function leaveGroup($id, $group): void
    {
        $this->cluster->tell($id, LEAVE_GROUP, (string) $group);
    }

    public function ungroup($group): void
    {
        $this->cluster->tellAll(UNGROUP, (string) $group, '');
    }

    public function getAllGroupIdList(): array
    {
        $groups = array_merge(...array_values($this->cluster->askAll(GET_GROUP_ID_LIST)));
        return array_combine($groups, $groups);
    }

    public function getClientIdCountByGroup($group = ''): int
    {
        return array_sum($this->cluster->askAll(GET_CLIENT_COUNT_BY_GROUP, (string) $group));
    }

    public function batchGetClientIdCountByGroup($groups): array
    {
        $counts = [];
        foreach ($this->cluster->askAll(BATCH_GET_CLIENT_COUNT_BY_GROUP, json_encode($groups)) as $rows) {
            foreach ($rows as $group => $count) {
                $counts[$group] = ($counts[$group] ?? 0) + $count;
            }
        }
        return $counts;
    }

    public function getClientIdListByGroup($group): array
    {
        return $this->ids(['groups' => (array) $group]);
    }

    public function getAllGroupUidList(): array
    {
        return $this->grouped(['uid', 'groups'], fn (string $id, array $row) => $row['uid']);
    }

    public function getAllGroupUidCount(): array
    {
        return array_map('count', $this->getAllGroupUidList());
    }

    public function getAllGroupClientIdList(): array
    {
        return $this->grouped(['groups'], fn (string $id, array $row) => $id);
    }

    public function getAllGroupClientIdCount(): array
    {
        return array_map('count', $this->getAllGroupClientIdList());
    }

    // Everybody.

    public function isOnline($id): int
    {
        return $this->cluster->ask($id, IS_ONLINE);
    }

    public function getAllClientIdCount(): int
    {
        return $this->getClientIdCountByGroup();
    }

    public function getAllClientIdList(): array
    {
        return $this->ids();
    }

    // Sessions.

    public function setSession($id, array $session): void
    {
        $this->setSocketSession($id, serialize($session));
    }

    public function setSocketSession($id, string $session): void
    {
        $this->cluster->tell($id, SET_SESSION, $session);
    }

    public function updateSession($id, array $session): void
    {
        $this->cluster->tell($id, UPDATE_SESSION, serialize($session));
    }

    public function getSession($id): ?array
    {
        return $this->cluster->ask($id, GET_SESSION_BY_CLIENT_ID);
    }

    public function getAllClientSessions($group = ''): array
    {
        $command = $group === '' ? GET_ALL_CLIENT_SESSIONS : GET_CLIENT_SESSIONS_BY_GROUP;
        $sessions = [];
        foreach ($this->cluster->askAll($command, (string) $group) as $address => $rows) {
            foreach ($rows as $number => $session) {
                $sessions[client_id($address, $number)] = $session === '' ? [] : unserialize($session);
            }
        }
        return $sessions;
    }

    public function getClientSessionsByGroup($group): array
    {
        return $this->getAllClientSessions($group);
    }

    // What SELECT tells.

    private function select(array $fields, array $where = [], ?array $addresses = null): iterable
    {
        $question = json_encode(['fields' => $fields, 'where' => $where]);
        foreach ($addresses ?? $this->cluster->addresses() as $address) {
            $link = $this->cluster->link($address);
            $link->frame(SELECT, 0, $question);
            foreach ($link->answer() as $number => $row) {
                yield client_id($address, $number) => $row;
            }
        }
    }

    private function ids(array $where = []): array
    {
        $ids = array_keys(iterator_to_array($this->select(['uid'], $where)));
        return array_combine($ids, $ids);
    }

    private function uids(array $where = []): array
    {
        $uids = array_filter(array_column(iterator_to_array($this->select(['uid'], $where)), 'uid'));
        return array_combine($uids, $uids);
    }

    /** Stops with each gateway at the first row in which a field is empty, as GatewayClient does. */
    private function grouped(array $fields, callable $value): array
    {
        $members = [];
        foreach ($this->cluster->addresses() as $address) {
            foreach ($this->select($fields, [], [$address]) as $id => $row) {
                if (in_array(true, array_map(fn (string $field) => empty($row[$field]), $fields))) {
                    break;
                }
                foreach ($row['groups'] as $group) {
                    $members[$group][$value($id, $row)] = $value($id, $row);
                }
            }
        }
        return $members;
    }
}

/** Client ids as addresses of gateways => [number => number]. */
function by_gateway(array $ids): array
{
    $places = [];
    foreach ($ids as $id) {
        [$address, $number] = place($id);
        $places[$address][$number] = $number;
    }
    return $places;
}

function ids_at(string $address, array $numbers): array
{
    return array_map(fn (int $number) => client_id($address, $number), array_values($numbers));
}
