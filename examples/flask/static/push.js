// Connects a page to a gateway and tells your application the connection's client_id.
//   gateway    "wss://push.example.com", "/ws" on the page's own host, or ":7272" for that port of it
//   bind       your URL that gets {"client_id": "..."} by POST, again after every reconnect; null: none
//   headers    sent with that POST, such as your framework's CSRF token
//   onMessage  called with each pushed message (parsed where it is JSON)
//   onState    called with "connecting", "online", "waiting" or "refused", a reason, and the socket if online
function connectPush({ gateway = ":7272", bind = "/bind", headers = {}, onMessage, onState = () => {} }) {
  const here = location.href.replace("http", "ws"); // wss on https
  const url = new URL(gateway[0] === ":" ? `//${location.hostname}${gateway}` : gateway, here);
  const json = { "Content-Type": "application/json", ...headers };
  let failures = 0;
  async function introduce(socket, client_id) {
    const post = { method: "POST", headers: json, body: JSON.stringify({ client_id }) };
    const answer = bind ? await fetch(bind, post) : new Response("{}");
    const refusal = await answer.json().catch(() => null);
    if (!answer.ok) throw new Error(refusal?.error?.message ?? `${bind} answered ${answer.status}`);
    if (socket.readyState !== WebSocket.OPEN) return; // it ended meanwhile
    failures = 0;
    onState("online", "", socket);
  }
  function open() {
    onState("connecting");
    const socket = new WebSocket(url);
    let [met, trouble] = [false, ""]; // met: only the first message can be init
    socket.onmessage = ({ data }) => {
      let message = data;
      try { message = JSON.parse(data); } catch { /* plain text is a message too */ }
      if (met || message?.type !== "init") return onMessage(message);
      met = true;
      introduce(socket, message.client_id).catch((error) => { trouble = error.message; socket.close(); });
    };
    socket.onclose = ({ code, reason }) => {
      if (code >= 3500 && code <= 3999) return onState("refused", reason || `code ${code}`);
      const pause = Math.random() * Math.min(30000, 500 * 2 ** failures++); // full jitter, ms
      onState("waiting", trouble || reason);
      setTimeout(open, pause);
    };
  }
  open();
}
