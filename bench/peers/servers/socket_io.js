// socket.io: `io.emit`, which encodes a packet and its frame once for all websockets.
"use strict";

const { createServer } = require("node:http");
const { Server } = require("socket.io");
const obey = require("./orders.js");

const http = createServer();
const io = new Server(http);

// What its documentation advises where memory counts: do not keep the request of each handshake.
io.engine.on("connection", (socket) => {
  socket.request = null;
});

http.listen(0, "127.0.0.1", () => {
  obey(http.address().port, (text) => io.emit("message", text));
});
