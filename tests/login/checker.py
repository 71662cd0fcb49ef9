"""A consumer in a process of its own: checks tokens, and answers everything else."""

from gatewayworker import Gateway

USERS = {"tulip": 1000, "rose": 1001}

with Gateway.consume("chat", name="checker") as consumer:
    print("ready checker", flush=True)  # noqa: T201 - what `Daemon` waits for
    for message in consumer:
        if "token" not in message.data:
            known = message.data["user_id"] == message.session["user_id"]
            message.reply(
                {"text": message.data["text"], "user_id": known and message.session["user_id"]}
            )
        elif message.data["token"] in USERS:
            Gateway.set_context_value(message.client_id, "user_id", USERS[message.data["token"]])
