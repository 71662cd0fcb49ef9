"use strict";
// Connects a page to a gateway and tells your application the connection's client_id.
//   gateway    "wss://push.example.com", or ":7272" for that port on the page's own host
//   bind       your URL that gets {"client_id": "..."} by POST, again after every reconnect
//   onMessage  called with each pushed message (parsed where it is JSON)
//   onState    called with "connecting", "online", "waiting" or "refused", and a reason
function connectPush({ gateway = ":7272", bind = "/bind", onMessage, onState = () => {} }) {
  const scheme = location.protocol === "https:" ? "wss://" : "ws://";
  const url = gateway.includes("://") ? gateway : scheme + location.hostname + gateway;
  let failures = 0;

  async function introduce(client_id) {
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ client_id });
    const answer = await fetch(bind, { method: "POST", headers, body });
    if (!answer.ok) throw new Error((await answer.json()).error.message);
    failures = 0;
    onState("online");
  }

  function open(trouble = "") {
    onState("connecting", trouble);
    const socket = new WebSocket(url);
    let met = false; // the first message alone can be init: nobody else's JSON may pass for it
    socket.onmessage = ({ data }) => {
      let message = data;
      try { message = JSON.parse(data); } catch { /* plain text is a message too */ }
      if (met || message?.type !== "init") return onMessage(message);
      met = true;
      introduce(message.client_id).catch((error) => { trouble = error.message; socket.close(); });
    };
    socket.onclose = ({ code, reason }) => {
      if (code >= 3500 && code <= 3999) return onState("refused", reason || `code ${code}`);
      const pause = Math.random() * Math.min(30000, 500 * 2 ** failures++); // full jitter, ms
      onState("waiting", trouble || reason);
      setTimeout(open, pause, trouble);
    };
  }
  open();
}
