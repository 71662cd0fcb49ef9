"""The smallest Flask application with a push channel; the page lies in static/."""

from flask import Flask, request

from gatewayworker import Gateway

app = Flask(__name__, static_url_path="")


@app.post("/bind")  # push.js posts here, again after every reconnect
def bind() -> dict[str, bool]:
    client_id = request.json["client_id"]
    Gateway.bind_uid(client_id, "ann")  # your session says who this is
    return {"joined": Gateway.join_group(client_id, "news")}


@app.post("/publish")
def publish() -> dict[str, int]:
    text = request.get_data(as_text=True)
    return {"reached": Gateway.send_to_group("news", {"text": text})}
