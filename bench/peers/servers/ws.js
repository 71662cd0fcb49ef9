// ws: its documented broadcast, a loop over `clients`. The message is made bytes once, not per client.
"use strict";

const { WebSocketServer } = require("ws");
const obey = require("./orders.js");

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });

function broadcast(text) {
  const message = Buffer.from(text);
  for (const client of server.clients) client.send(message, { binary: false });
}

server.on("listening", () => obey(server.address().port, broadcast));
