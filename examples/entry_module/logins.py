"""Checks logins, in a process of its own: whoever passes gets a name in their connection's context."""

from gatewayworker import Gateway

PASSWORDS = {"ann": "tulip", "bob": "rose"}  # a stand-in for your users

for login in Gateway.consume("logins"):
    name = login.data["name"]  # text, as chat_entry.py makes it
    if name in PASSWORDS and PASSWORDS[name] == login.data["password"]:
        Gateway.set_context_value(login.client_id, "user", name)
    else:
        Gateway.close_client(login.client_id, {"refused": name}, code=4003, reason="wrong password")
