// How a server of Node is told what to broadcast: one message a line on stdin, an empty line asks for
// "done" once all before it were handed to the library. The server ends with its stdin.
"use strict";

const readline = require("node:readline");

module.exports = function obey(port, broadcast) {
  const lines = readline.createInterface({ input: process.stdin });
  lines.on("line", (line) => (line ? broadcast(line) : console.log("done")));
  lines.on("close", () => process.exit());
  console.log(`ready port=${port}`);
};
