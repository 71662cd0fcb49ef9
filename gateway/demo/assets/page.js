"use strict";
// The demo's page. It knows two things: its own application's URLs, and connectPush (push.js).
// Whatever came from another person is written with textContent, so it can never become markup.

const seat = location.search; // one login per ?seat=, see _cookie in app.py
const { gateway, room } = document.body.dataset;
const refreshEvery = 10_000; // ms: who left without a word is seen within this time
const at = (id) => document.getElementById(id);
let me = document.body.dataset.name;
let pushing = false;

async function call(path, body) {
  const headers = { "Content-Type": "application/json" };
  const options = body ? { method: "POST", headers, body: JSON.stringify(body) } : {};
  const answer = await fetch(path + seat, options);
  const result = await answer.json();
  if (!answer.ok) throw new Error(result.error.message);
  return result;
}

function show(id, text) {
  at(id).textContent = text;
  at(id).hidden = !text;
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

// Messages

function addMessage({ from, to, text }, note = "") {
  const item = element("li", from === me ? "mine" : "", "");
  item.dataset.from = from;
  item.dataset.to = to;
  item.append(element("span", "from", from), element("span", "text", text));
  const label = note || (to === "uid" ? "only to you" : "");
  if (label) item.append(element("span", "note", label));
  at("messages").append(item);
  item.scrollIntoView({ block: "nearest" });
  at("empty").hidden = true;
}

async function sendMessage(event) {
  event.preventDefault();
  const to = at("to").value;
  const text = at("text").value;
  try {
    const { reached } = await call("/send", { to, text });
    at("text").value = "";
    show("error", "");
    if (to.startsWith("uid:")) noteSent(to.slice("uid:".length), text, reached);
  } catch (error) {
    show("error", error.message);
  }
  at("text").focus();
}

function noteSent(uid, text, reached) {
  if (uid === me && reached) return; // it comes back by push
  const note = reached ? `to ${uid} · reached ${reached}` : `to ${uid} · not online, not delivered`;
  addMessage({ from: me, to: "uid", text }, note);
}

// People

function showPeople(people) {
  const chosen = at("to").value;
  at("count").textContent = people.length;
  at("people").replaceChildren(...people.map(personButton));
  const options = people.map((name) => new Option(name === me ? `${name} (you)` : name, `uid:${name}`));
  const gone = chosen.startsWith("uid:") && !people.includes(chosen.slice("uid:".length));
  if (gone) options.push(new Option(`${chosen.slice("uid:".length)} (gone)`, chosen));
  at("to").replaceChildren(new Option("Everyone", `group:${room}`), ...options);
  at("to").value = chosen;
}

function personButton(name) {
  const button = element("button", "person", name === me ? `${name} (you)` : name);
  button.type = "button";
  button.dataset.uid = name;
  button.onclick = () => {
    at("to").value = `uid:${name}`;
    at("text").focus();
  };
  const item = document.createElement("li");
  item.append(button);
  return item;
}

async function refreshPeople() {
  if (document.hidden || at("state").dataset.state !== "online") return;
  try {
    showPeople((await call("/people")).people);
    show("error", "");
  } catch (error) {
    show("error", error.message);
  }
}

// Connection

const stateTexts = {
  connecting: "connecting …",
  online: "connected",
  waiting: "connection lost, trying again …",
  refused: "refused",
};

function showState(state, reason = "") {
  at("state").dataset.state = state;
  at("state-text").textContent = stateTexts[state];
  if (state === "online" || reason) show("error", reason);
}

function receive(message) {
  if (message.type === "message") addMessage(message);
  if (message.type === "people") showPeople(message.people);
}

function enter() {
  at("login").hidden = true;
  at("chat").hidden = false;
  at("me").hidden = false;
  at("my-name").textContent = me;
  at("text").focus();
  if (pushing) return;
  pushing = true;
  connectPush({ gateway, bind: "/bind" + seat, onMessage: receive, onState: showState });
  setInterval(refreshPeople, refreshEvery);
}

// Login

function askName() {
  at("chat").hidden = true;
  at("me").hidden = true;
  at("login").hidden = false;
  at("name").value = me;
  at("name").focus();
}

async function logIn(event) {
  event.preventDefault();
  try {
    const { name } = await call("/login", { name: at("name").value });
    if (pushing) return location.reload(); // another person is another connection
    me = name;
    show("login-error", "");
    enter();
  } catch (error) {
    show("login-error", error.message);
  }
}

at("login").onsubmit = logIn;
at("compose").onsubmit = sendMessage;
at("rename").onclick = askName;
at("another").href = `/?seat=${Math.random().toString(36).slice(2, 8)}`;
if (me) enter();
else askName();
