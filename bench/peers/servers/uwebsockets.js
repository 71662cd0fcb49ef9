// uWebSockets.js: everybody subscribes to one topic, `publish` does the rest in C++.
"use strict";

const uws = require("@trufflesuite/uws-js-unofficial");
const obey = require("./orders.js");

// Where the package has no binary for this Node it falls back to an imitation in JavaScript.
if (!Object.keys(require.cache).some((file) => file.endsWith(".node"))) {
  console.error("there is no binary of uWebSockets.js for this platform and this version of Node");
  process.exit(1);
}

const app = uws.App().ws("/*", { open: (socket) => socket.subscribe("bench") });

app.listen("127.0.0.1", 0, (listener) => {
  obey(uws.us_socket_local_port(listener), (text) => app.publish("bench", text));
});
