// What every page shows besides the ladder: the agent's state, and one packet.
import { time } from "./time.js";

export const $ = (id) => document.getElementById(id);
export const count = (n) => Number(n || 0).toLocaleString("en");

// doing shows what the agent is doing. since is for how many milliseconds; -1 means
// unknown.
export function doing(what, since = -1) {
  const words = { "": "waiting for an agent", none: "no session is running" };
  const text = words[what] ?? what;
  $("doing").className = "doing " + what;
  if ($("doing-what").textContent !== text) $("doing-what").textContent = text; // screen readers read every change
  $("doing-for").textContent = since < 0 || !what ? "" : "for " + (since < 60000 ? (since / 1000).toFixed(1) + " s" : time(since));
}

// now shows what the agent is doing. ago is the age of its state in milliseconds.
export function now(state, ago) {
  if (state.ended) doing("ended");
  else if (state.silent) doing("not answering");
  else doing(state.doing, state.since < 0 ? -1 : state.since + ago);
}

// remarks returns the problems of the session and of this watch as text.
export function remarks(state) {
  const words = [];
  if (state.ended) words.push(`The session has ended: ${state.ended}`);
  else if (state.silent) words.push(`The session exists, but ${state.silent}.`);
  if (state.missed) words.push(`${count(state.missed)} events were missed: packets cross faster than this page can follow.`);
  if (state.unsent) words.push(`The ping was not sent: ${state.unsent}`);
  return words.join(" ");
}

// ends shows the addresses of both ends.
export function ends(state) {
  $("peer").textContent = state.peer.split("/")[0];
  $("agent").textContent = state.agent;
}

// details shows one packet, with links to its request or answer.
export function details(packet) {
  const list = (name, ...texts) => texts.map((text) => {
    const e = document.createElement(name);
    e.textContent = text;
    return e;
  });
  $("details-title").textContent = packet.title;
  $("details-faults").replaceChildren(...list("li", ...(packet.faults || [])));
  $("details-facts").replaceChildren(...(packet.facts || []).flatMap(([what, value]) => [...list("dt", what), ...list("dd", value)]));
  const links = [];
  for (const [words, to] of [["answers ", packet.reply_to], ["answered by ", packet.answer]]) {
    if (!to) continue;
    const a = document.createElement("a");
    a.href = "#/" + to;
    a.textContent = "#" + to;
    links.push(links.length ? ", " + words : words, a);
  }
  $("details-links").replaceChildren(...links);
  $("details-dump").textContent = packet.dump || "";
  $("details").hidden = false;
  $("details").scrollTop = 0;
}
