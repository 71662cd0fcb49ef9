"""Push beside a Flask application: log in, bind, push, log out."""

import os
import secrets

from flask import Flask, abort, redirect, render_template, request, session, url_for
from werkzeug import Response

from gatewayworker import Gateway

NEWS = "news"
"""The group that everybody who is logged in belongs to."""

LOGGED_OUT = 3501
"""The close code for a right that was withdrawn: push.js does not connect again."""

LOGINS: dict[str, str] = {}
"""Login -> name, on the server, so that a login can be ended. A table in your application."""

app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ.get("SECRET_KEY") or secrets.token_hex(),  # set it, to keep logins
    # With the JSON that `request.json` insists on, this keeps other sites from posting in your name:
    # /bind would bind *their* connection to *your* user.
    SESSION_COOKIE_SAMESITE="Lax",
)


@app.get("/")
def index() -> str:
    gateway = os.environ.get("GATEWAY_URL", ":7272")
    name = LOGINS.get(session.get("login", ""))
    return render_template("index.html", name=name, gateway=gateway)


@app.post("/login")
def log_in() -> Response:
    # A stand-in without passwords: your own login goes here, and it decides the uid.
    session["login"] = secrets.token_hex(8)
    LOGINS[session["login"]] = request.form["name"].strip() or abort(400)
    return redirect(url_for("index"))


@app.post("/bind")  # push.js posts here, again after every reconnect
def bind() -> dict[str, str]:
    name, connections = current_login()
    client_id = request.json["client_id"]
    if not Gateway.bind_uid(client_id, name):
        abort(410)  # it has ended meanwhile; push.js connects again
    Gateway.join_group(client_id, [NEWS, connections])
    return {"uid": name}


@app.post("/push")
def push() -> dict[str, int]:
    name, _ = current_login()
    message = {"from": name, "text": request.json["text"]}
    match request.json["to"]:
        case "me":  # every tab and phone of this user
            reached = Gateway.send_to_uid(name, message)
        case "news":
            reached = Gateway.send_to_group(NEWS, message)
        case _:  # every connection, whoever it is
            reached = Gateway.send_to_all(message)
    return {"reached": reached}


@app.post("/logout")
def log_out() -> Response:
    _, connections = current_login()
    del LOGINS[session.pop("login")]  # first: the pages that are closed now come back at once
    Gateway.close_group(connections, code=LOGGED_OUT, reason="You have logged out.")
    return redirect(url_for("index"))


def current_login() -> tuple[str, str]:
    """Give the user's name, and the group of the connections that this login has."""
    login = session.get("login", "")
    if login not in LOGINS:
        abort(401)
    return LOGINS[login], f"login:{login}"
