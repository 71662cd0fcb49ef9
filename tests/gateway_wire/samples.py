"""One example of each command, with every field set: what the golden frames hold."""

from typing import Final

from gateway_wire import commands as c

NODE: Final = "0123456789ab"
CLIENT_ID: Final = NODE + "00112233445566778899"
OTHER_ID: Final = NODE + "ffeeddccbbaa99887766"
NONCE: Final = bytes(range(32))

REQUEST_ID: Final = 7

SAMPLES: Final[tuple[c.Command, ...]] = (
    c.Hello(1, 1, "client", ["f"], "example/1.0", "0011223344556677", NONCE, "89abcdef"),
    c.Challenge(1, "gateway", ["f"], "example/1.0", "8899aabbccddeeff", NONCE),
    c.Proof(NONCE),
    c.Welcome(1, "gateway", ["f"], "example/1.0", "8899aabbccddeeff", NONCE),
    c.Goodbye("stopping", "the gateway is stopping"),
    c.Ping(),
    c.Pong(),
    c.Reply(["a", "b"]),
    c.ReplyPart({"news": 3}),
    c.Error("too_large", "the message is too large", {"limit": 1048576}),
    c.Announce(NODE, "10.0.0.1", 2900, 1, ["n:" + NODE], "10.0.0.1:6789"),
    c.Watch(),
    c.Nodes(True, [{"node_id": NODE, "host": "10.0.0.1", "port": 2900}]),
    c.SendToAll("grüße", [CLIENT_ID]),
    c.SendToClients([CLIENT_ID, OTHER_ID], b"\x00\xff"),
    c.SendToUids(["42"], "hello"),
    c.SendToGroups(["news", "sport"], "hello", [CLIENT_ID]),
    c.CloseClient(CLIENT_ID, "bye", 4000, "signed out"),
    c.DestroyClient(CLIENT_ID),
    c.CloseUids(["42"], b"bye", 4001, "signed out"),
    c.CloseGroups(["news"], "bye", 4002, "closed"),
    c.BindUid(CLIENT_ID, "42"),
    c.UnbindUid(CLIENT_ID, "42"),
    c.JoinGroups(CLIENT_ID, ["news", "sport"]),
    c.LeaveGroups(CLIENT_ID, ["news"]),
    c.Ungroup("news"),
    c.IsOnline(CLIENT_ID),
    c.OnlineUids(["42", "43"]),
    c.ClientIdsByUids(["42"]),
    c.ClientIdsByGroups(["news"]),
    c.ListClientIds(),
    c.CountClients(),
    c.CountClientsByGroups(["news"]),
    c.GetUid(CLIENT_ID),
    c.UidsByGroups(["news"]),
    c.CountUidsByGroups(["news"]),
    c.ListUids(),
    c.CountUids(),
    c.ListGroups(),
    c.ListAllUidsByGroup(),
    c.ListAllClientIdsByGroup(),
    c.SetSession(CLIENT_ID, {"cart": [1, 2.5, None, True, b"\x01", {"k": "v"}], 7: "seven"}),
    c.UpdateSession(CLIENT_ID, {"cart": []}),
    c.GetSession(CLIENT_ID),
    c.SessionsByGroups(["news"]),
    c.AllSessions(),
    c.TakeEvents("chat", 1),
    c.LeaveEvents(),
    c.Acknowledge([1, 300, 70_000]),
    c.PatchSession(CLIENT_ID, {"cart": [1], 7: None}, ["old"]),
    c.ClientAssigned(CLIENT_ID, {"cart": []}, "192.0.2.7", 50000, "ws://0.0.0.0:7272"),
    c.ClientConnected(1, CLIENT_ID, None, "/ws", "room=news", {"host": "example.com"}, True),
    c.ClientMessage(300, CLIENT_ID, "42", "grüße"),
    c.ClientClosed(70_000, CLIENT_ID, "42", 1001, "peer_closed", "going away"),
    c.ClientSession(CLIENT_ID, {"cart": [2]}),
)
