// Response times over time, on a logarithmic scale.
import { time } from "./time.js";

const colours = ["--by-agent", "--by-handler"];
const names = ["the agent", "a handler"];

export class Plot {
  #canvas; #tip; #help;
  #width = 0; // of a slice, milliseconds
  #spans = new Map(); // slice * 2 + series: [slice, series, n, min, mean, max]
  #now = 0; // milliseconds since the session's start
  #drawn = null; // the scales of the last drawing
  #waiting = false;

  constructor(canvas, tip) {
    this.#canvas = canvas;
    this.#tip = tip;
    this.#help = tip.textContent;
    canvas.addEventListener("pointermove", (event) => this.#point(event.offsetX));
    canvas.addEventListener("pointerleave", () => { tip.textContent = this.#help; });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#soon());
    new ResizeObserver(() => this.#soon()).observe(canvas);
  }

  reset() {
    this.#spans.clear();
    this.#soon();
  }

  apply(plot, now) {
    this.#now = now;
    if (plot) {
      if (plot.whole) this.#spans.clear();
      this.#width = plot.width;
      for (const span of plot.spans || []) this.#spans.set(span[0] * 2 + span[1], span);
    }
    this.#soon();
  }

  #soon() {
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => { this.#waiting = false; this.#draw(); });
  }

  #draw() {
    const canvas = this.#canvas;
    const ratio = devicePixelRatio || 1;
    const w = canvas.clientWidth, h = canvas.clientHeight;
    if (!w || !h) return;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
    }
    const c = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    // The colours of the current colour scheme. Reading one makes the browser compute styles.
    const [grid, soft, ...by] = ["--grid", "--soft", ...colours].map((name) => { canvas.style.color = `var(${name})`; return style.color; });
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, w, h);
    c.font = "12px " + style.fontFamily;

    let low = Infinity, high = 0, first = Infinity, last = 0;
    for (const [slice, , , min, , max] of this.#spans.values()) {
      low = Math.min(low, min); high = Math.max(high, max);
      first = Math.min(first, slice); last = Math.max(last, slice);
    }
    const some = this.#spans.size > 0;
    if (!some) { low = 0.1; high = 10000; first = last = 0; }
    // Whole decades, at least two.
    let bottom = Math.floor(Math.log10(low)), top = Math.ceil(Math.log10(high));
    while (top - bottom < 2) { top++; if (top - bottom < 2) bottom--; }
    const left = 52, right = w - 10, upper = 8, lower = h - 20;
    const from = first * this.#width;
    const to = Math.max(this.#now, (last + 1) * this.#width, from + 10000);
    const x = (ms) => left + (ms - from) / (to - from) * (right - left);
    const y = (ms) => lower - (Math.log10(ms) - bottom) / (top - bottom) * (lower - upper);
    this.#drawn = { from, to, left, right };

    c.textBaseline = "middle";
    c.textAlign = "right";
    c.lineWidth = 1;
    const every = Math.ceil((top - bottom) / Math.max(2, Math.floor((lower - upper) / 24)));
    for (let power = bottom; power <= top; power++) {
      const at = Math.round(y(10 ** power)) + 0.5;
      c.strokeStyle = grid;
      c.beginPath(); c.moveTo(left, at); c.lineTo(right, at); c.stroke();
      if ((power - bottom) % every) continue;
      c.fillStyle = soft;
      c.fillText(label(10 ** power), left - 7, at);
    }
    c.textBaseline = "alphabetic";
    const began = Date.now() - this.#now;
    const ticks = Math.max(2, Math.floor((right - left) / 110));
    for (let i = 0; i < ticks; i++) {
      const at = from + (to - from) * i / (ticks - 1);
      c.textAlign = i === 0 ? "left" : i === ticks - 1 ? "right" : "center";
      c.fillText(new Date(began + at).toTimeString().slice(0, 8), x(at), h - 4);
    }
    if (!some) {
      c.textAlign = "center";
      c.fillText("no answers yet", (left + right) / 2, (upper + lower) / 2);
    }
    for (const [slice, series, , min, mean, max] of this.#spans.values()) {
      const at = x((slice + 0.5) * this.#width);
      c.strokeStyle = c.fillStyle = by[series];
      c.globalAlpha = 0.4;
      c.lineWidth = 2;
      c.beginPath(); c.moveTo(at, y(min)); c.lineTo(at, y(max)); c.stroke();
      c.globalAlpha = 1;
      c.beginPath(); c.arc(at, y(mean), 3, 0, 7); c.fill();
    }
    canvas.setAttribute("aria-label", this.#spoken());
  }

  // spoken returns the plot in words.
  #spoken() {
    const parts = [];
    for (const series of [0, 1]) {
      let n = 0, latest = null;
      for (const span of this.#spans.values()) {
        if (span[1] !== series) continue;
        n += span[2];
        if (!latest || span[0] > latest[0]) latest = span;
      }
      if (n) parts.push(`${names[series]} answered ${n} packets, most recently after ${time(latest[4])}`);
    }
    return "Response times over time: " + (parts.join("; ") || "no answers yet");
  }

  // point shows the slice under the pointer.
  #point(offset) {
    const d = this.#drawn;
    if (!d) return;
    const at = d.from + (offset - d.left) / (d.right - d.left) * (d.to - d.from);
    let near = null;
    for (const span of this.#spans.values()) {
      const far = Math.abs((span[0] + 0.5) * this.#width - at);
      if (!near || far < near[0] || far === near[0] && span[1] > near[1][1]) near = [far, span];
    }
    if (!near) return;
    const [, [slice, series, n, min, mean, max]] = near;
    const when = new Date(Date.now() - this.#now + slice * this.#width).toTimeString().slice(0, 8);
    this.#tip.textContent = `${when}: ${names[series]} answered ${n} packets after ${time(min)} to ${time(max)}, mean ${time(mean)}`;
  }
}

// label formats a power of ten of milliseconds.
function label(ms) {
  if (ms < 0.9) return Math.round(ms * 1e6) >= 1000 ? Math.round(ms * 1e3) + " µs" : Math.round(ms * 1e6) + " ns";
  if (ms < 900) return Math.round(ms) + " ms";
  return Math.round(ms / 1e3).toLocaleString("en") + " s";
}
