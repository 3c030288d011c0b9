// The ladder in a conversation (SEP-1865, MCP Apps). The client around this page reads
// the server's resources for it. The page has no other access.

import { Ladder } from "./ladder.js";
import { $, count, details, doing, ends, now, remarks } from "./packet.js";

const every = 1000; // milliseconds between requests
const tall = 420, flat = 44; // heights in pixels: of the newest ladder, and of older ones

// JSON-RPC with the client.

const waiting = new Map(); // id: {resolve, reject}
let lastID = 0;

function tell(method, params) { parent.postMessage({ jsonrpc: "2.0", method, params }, "*"); }

function ask(method, params) {
  const id = ++lastID;
  parent.postMessage({ jsonrpc: "2.0", id, method, params }, "*");
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

addEventListener("message", ({ source, data }) => {
  if (source !== parent || data?.jsonrpc !== "2.0") return;
  if (!data.method) {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error) asked?.reject(new Error(data.error.message));
    else asked?.resolve(data.result);
    return;
  }
  notified[data.method]?.(data.params || {});
  if (data.id === undefined) return;
  const known = data.method === "ping" || data.method === "ui/resource-teardown";
  parent.postMessage({ jsonrpc: "2.0", id: data.id, ...(known ? { result: {} } : { error: { code: -32601, message: "no such method" } }) }, "*");
});

const notified = {
  "ui/notifications/tool-result": (result) => {
    if (reads) {
      look();
      return;
    }
    // If the client reads no resources for a page, show only the result.
    $("result").textContent = (result.content || []).map((part) => part.text || "").join("\n");
    resize(Math.min(tall, $("result").scrollHeight + 70));
  },
  "ui/notifications/host-context-changed": (changed) => suit(changed),
  "ui/resource-teardown": () => clearTimeout(timer),
};

// suit applies what the client says about itself.
function suit(context) {
  if (context.theme) document.documentElement.style.colorScheme = context.theme;
  if (context.containerDimensions) room = context.containerDimensions;
}

let reads = false; // the client reads resources for this page
let room = {};
let height = 0; // the last height requested
let timer = 0;
let page = 0, after = ""; // number of this page, and the last version received
let state = null, came = 0;

// resize requests a height, unless the client has fixed one.
function resize(wanted) {
  wanted = Math.min(wanted, room.maxHeight || Infinity);
  if (room.height || wanted === height) return;
  height = wanted;
  tell("ui/notifications/size-changed", { height });
}

async function read(query) {
  const { contents } = await ask("resources/read", { uri: "tun://ladder?" + new URLSearchParams(query) });
  return JSON.parse(contents[0].text);
}

function note(text) {
  $("note").textContent = text;
  $("note").hidden = !text;
}

// look asks for changes, and repeats that until there is a newer ladder in the
// conversation.
let looking = false;

async function look() {
  clearTimeout(timer);
  if (looking) return;
  looking = true;
  try {
    const answer = document.hidden ? {} : await read({ page, after });
    if (answer.page) page = answer.page;
    if (answer.stale) {
      leave();
      return;
    }
    after = answer.after || after;
    if (answer.state) receive(answer);
    if (state) note(remarks(state));
  } catch (error) {
    note(error.message);
  } finally {
    looking = false;
  }
  if (!state?.ended) timer = setTimeout(look, every);
}

function receive(message) {
  if (message.reset) ladder.reset();
  came = performance.now();
  state = message.state;
  ladder.apply(message.rows || [], message.oldest);
  ends(state);
  const { received, written, dropped } = state.counters;
  $("counts").textContent = `${count(received)} from the peer, ${count(written)} written` + (dropped ? `, ${count(dropped)} dropped` : "");
  tick();
}

// leave shrinks this ladder, because there is a newer one.
function leave() {
  doing("shown in a newer ladder");
  stale(true);
  state = null;
}

$("here").addEventListener("click", () => {
  page = 0;
  stale(false);
  look();
});

function stale(is) {
  document.documentElement.classList.toggle("stale", is);
  $("here").hidden = !is;
  $("counts").hidden = is;
  resize(is ? flat : tall);
}

function tick() {
  if (state) now(state, performance.now() - came);
}
setInterval(tick, 100);

// Packets.

async function open(query) {
  try {
    details(await read(query));
    if (query.number) ladder.chooseNumber(query.number);
  } catch (error) {
    note(error.message);
  }
}

const ladder = new Ladder($("rows"), $("rung"), (row) => {
  if (row.number) open({ number: row.number });
  else if (row.class.includes("refused")) open({ row: row.id });
});
ladder.onfollow = (on) => { $("newest").hidden = on; };
$("newest").addEventListener("click", () => ladder.toNewest());

function hide() {
  $("details").hidden = true;
  ladder.choose(0, false);
}
$("close").addEventListener("click", () => { hide(); $("rows").focus(); });
$("details-links").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link) return;
  event.preventDefault(); // a link must not leave the page
  open({ number: Number(link.textContent.slice(1)) });
});
addEventListener("keydown", (event) => {
  const act = { Escape: hide, ArrowDown: () => ladder.step(1), ArrowUp: () => ladder.step(-1), End: () => ladder.toNewest(), Enter: () => ladder.openChosen() }[event.key];
  if (!act || event.key !== "Escape" && event.target !== $("rows")) return;
  event.preventDefault();
  act();
});
document.addEventListener("visibilitychange", () => { if (!document.hidden && page && !document.documentElement.classList.contains("stale")) look(); });

async function begin() {
  const host = await ask("ui/initialize", {
    protocolVersion: "2026-01-26", appInfo: { name: "tun-mcp ladder", version: "1" },
    appCapabilities: { availableDisplayModes: ["inline", "fullscreen", "pip"] },
  });
  suit(host.hostContext || {});
  reads = Boolean(host.hostCapabilities?.serverResources);
  tell("ui/notifications/initialized", {});
  if (reads) {
    resize(tall);
    look();
    return;
  }
  doing("this client does not read resources for the ladder");
  $("ladder").hidden = true;
  $("result").hidden = false;
}
begin().catch((error) => note(error.message));
