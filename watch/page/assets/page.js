import { Ladder } from "./ladder.js";
import { $, count, details, doing, ends, now, remarks } from "./packet.js";
import { Plot } from "./plot.js";
import { time } from "./time.js";


let session = new URLSearchParams(location.search).get("session") || "";
let first = ""; // the session to show if the address names none
let stream = null;
let state = null; // the last state received
let came = 0; // when it came, from performance.now
let last = ""; // id of the last message, so that a new stream continues after it
let everyTimer = 0;
const failures = { find: "", ping: "" }; // why the last search and the last ping failed

const plot = new Plot($("plot"), $("plot-tip"));
const ladder = new Ladder($("rows"), $("rung"), (row) => {
  if (row.number) show(row.number);
  else if (row.class.includes("refused")) open("row=" + row.id);
});
ladder.onfollow = (on) => { $("newest").hidden = on; };

// The stream.

function connect() {
  if (stream) stream.close();
  stream = null;
  if (!session) return;
  stream = new EventSource(`live?session=${encodeURIComponent(session)}&after=${encodeURIComponent(last)}`);
  stream.onmessage = (event) => {
    last = event.lastEventId;
    receive(JSON.parse(event.data));
  };
  stream.addEventListener("trouble", (event) => note(JSON.parse(event.data)));
  stream.onerror = () => {
    doing("disconnected");
    if (stream && stream.readyState === EventSource.CLOSED) setTimeout(retry, 2000);
  };
}

// retry reconnects after a refusal. The session may have gone, or may be back.
async function retry() {
  await listSessions();
  connect();
}

function receive(message) {
  if (message.reset) {
    ladder.reset();
    plot.reset();
  }
  came = performance.now();
  state = message.state;
  ladder.apply(message.rows || [], message.oldest);
  plot.apply(message.plot, state.now);
  figures();
  tick();
}

// What is shown besides the ladder.

// tick shows how long the agent has been doing the same. Between messages it uses the
// page's own clock.
function tick() {
  if (!state || !stream || stream.readyState !== EventSource.OPEN) return;
  now(state, performance.now() - came);
}
setInterval(tick, 100);

function figures() {
  const values = { ...state.counters, median: undefined };
  for (const dd of $("figures").querySelectorAll("[data-figure]")) {
    const name = dd.dataset.figure;
    dd.textContent = name === "median" ? (state.responses.answered ? time(state.responses.median_ms || 0.0005) : "–") : count(values[name]);
    dd.parentElement.classList.toggle("bad", (name === "refused" || name === "dropped") && values[name] > 0);
  }
  ends(state);
  const { rate, shown } = state.meter;
  const sampled = rate > shown && rate > 1;
  $("sampling").hidden = !sampled;
  if (sampled) {
    const one = shown > 0 ? `one in ${(rate / shown).toFixed(rate / shown < 10 ? 1 : 0)}` : "none";
    $("sampling").textContent = `${count(Math.round(rate))} packets a second: the ladder shows ${one} of them. ${state.missed ? "" : "The plot includes all. "}The last 4,096 packets can be found by number.`;
  }
  note(remarks(state));
  if (state.ended) every(false);
}

// note shows a text and the failures. They stay while messages come.
function note(text) {
  const all = [failures.find, failures.ping, text].filter(Boolean).join(" ");
  if ($("note").textContent !== all) $("note").textContent = all; // screen readers read every change
  $("note").hidden = !all;
}

// failed notes why a search or a ping failed, or "" if it did not.
function failed(what, why) {
  failures[what] = why;
  note(state ? remarks(state) : "");
}

// Sessions.

async function listSessions() {
  let list;
  try {
    const response = await fetch("sessions");
    if (!response.ok) throw new Error(await response.text());
    list = await response.json();
  } catch (error) {
    note(`Cannot reach tun-mcp watch: ${error.message}`);
    return;
  }
  if (!session) session = first = list.first;
  const names = [...(list.running || [])];
  if (session && !names.includes(session)) names.push(session);
  const pick = $("session");
  const before = [...pick.options].map((option) => option.value).join();
  if (before !== names.join()) {
    pick.replaceChildren(...names.map((name) => {
      const option = document.createElement("option");
      option.value = option.textContent = name;
      return option;
    }));
  }
  pick.value = session;
  if (!session) doing("none");
  // A restarted session with the same name has a new link. If only the server still runs, the ladder stays.
  const again = state && state.ended && stream?.readyState === EventSource.OPEN && (list.running || []).includes(session);
  if (again || session && !stream) connect();
}
setInterval(() => { if (!document.hidden) listSessions(); }, 3000);

// turn shows another session.
function turn(name) {
  session = name;
  state = null;
  every(false);
  failed("find", "");
  failed("ping", "");
  connect();
}

$("session").addEventListener("change", () => {
  hide();
  const url = new URL(location);
  url.searchParams.set("session", $("session").value);
  url.hash = "";
  history.pushState(null, "", url);
  turn($("session").value);
});

// One packet.

function show(number) {
  const hash = "#/" + number;
  if (location.hash === hash) open("number=" + number, number);
  else location.hash = hash;
}

function route() {
  const match = location.hash.match(/^#\/(\d{1,9})$/);
  if (match) open("number=" + match[1], Number(match[1]));
}
addEventListener("hashchange", route);
addEventListener("popstate", () => {
  const name = new URLSearchParams(location.search).get("session") || first;
  if (name && name !== session) { $("session").value = name; turn(name); }
});

async function open(query, number) {
  if (!session) return;
  let packet;
  try {
    const response = await fetch(`packet?session=${encodeURIComponent(session)}&${query}`);
    packet = response.ok ? await response.json() : { title: number ? "#" + number : "", facts: [], faults: [(await response.text()).trim()] };
  } catch (error) {
    packet = { title: "", facts: [], faults: [error.message] };
  }
  if (number) ladder.chooseNumber(number);
  details(packet);
  $("help").hidden = true;
}

function hide() {
  $("details").hidden = true;
  $("help").hidden = false;
  ladder.choose(0, false);
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
}
$("close").addEventListener("click", () => { hide(); $("rows").focus(); });

$("find").addEventListener("submit", (event) => {
  event.preventDefault();
  const number = $("number").value.replace(/[#\s,]/g, "");
  if (/^[1-9]\d{0,8}$/.test(number)) { failed("find", ""); show(Number(number)); }
  else failed("find", `"${$("number").value}" is not a packet number; accepted is a whole number from 1.`);
});

// Pings.

async function ping() {
  try {
    const response = await fetch("ping", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ session }) });
    if (!response.ok) throw new Error((await response.text()).trim());
    failed("ping", "");
  } catch (error) {
    every(false);
    failed("ping", error.message);
  }
}

function every(on) {
  clearInterval(everyTimer);
  everyTimer = on ? setInterval(ping, 2000) : 0;
  $("every").setAttribute("aria-pressed", String(on));
  if (on) ping();
}
$("ping").addEventListener("click", ping);
$("every").addEventListener("click", () => every(!everyTimer));

function pause() {
  const on = !ladder.paused;
  ladder.pause(on);
  $("pause").setAttribute("aria-pressed", String(on));
  $("pause").textContent = on ? "Resume" : "Pause";
}
$("pause").addEventListener("click", pause);
$("newest").addEventListener("click", () => ladder.toNewest());

// Keys.

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") { hide(); return; }
  if (event.target.closest("button, a, input, select, pre")) return;
  const act = {
    ArrowDown: () => ladder.step(1), j: () => ladder.step(1), ArrowUp: () => ladder.step(-1), k: () => ladder.step(-1),
    PageDown: () => ladder.step(10), PageUp: () => ladder.step(-10), End: () => ladder.toNewest(),
    Enter: () => ladder.openChosen(), " ": pause, p: ping, "/": () => $("number").focus(),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// After a browser has slept, its stream may be dead.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && performance.now() - came > 20000) retry();
});

await listSessions();
route();
