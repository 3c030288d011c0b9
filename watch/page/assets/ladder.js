// The ladder. Rows come from the server as finished texts. They are set only with
// textContent, so that nothing in a packet can become markup.

const lanes = 5; // number of lanes for ties
const shortest = 1000; // milliseconds: smallest scale of a full bar

export class Ladder {
  #list; #template; #open;
  #rows = new Map(); // id: {row, element}
  #numbers = new Map(); // packet number: id
  #ties = 0;
  #scale = shortest;
  #chosen = 0;
  #follow = true;
  #top = 0; // last scroll position
  #oldest = 0;
  #pending = new Map(); // rows that are not shown yet, by id
  #paused = false;
  #waiting = false; // until the next show
  #newest = 0; // id
  #gap = null; // the line for rows never shown; it stays as long as the rows below it

  // open is called with a row, and whether the user chose it.
  constructor(list, template, open) {
    this.#list = list;
    this.#template = template;
    this.#open = open;
    this.#setScale(shortest);
    list.addEventListener("click", (event) => {
      const li = event.target.closest("li[data-id]");
      if (li) this.choose(Number(li.dataset.id), true);
    });
    list.addEventListener("scroll", () => {
      // Stop following only if the user scrolls up. New rows and a smaller window also move the end.
      if (list.scrollHeight - list.scrollTop - list.clientHeight < 24) this.#follow = true;
      else if (list.scrollTop < this.#top - 2) this.#follow = false;
      this.#top = list.scrollTop;
      this.onfollow?.(this.#follow);
    }, { passive: true });
    new ResizeObserver(() => {
      this.#drawAll();
      if (this.#follow) this.toNewest();
    }).observe(list);
  }

  get paused() { return this.#paused; }

  reset() {
    this.#rows.clear();
    this.#numbers.clear();
    this.#list.replaceChildren();
    this.#chosen = this.#newest = 0;
    this.#gap = null;
    this.#follow = true;
    this.#setScale(shortest);
    this.#pending.clear();
  }

  pause(on) {
    this.#paused = on;
    this.#soon();
  }

  // apply takes changes. A browser that is slow to draw shows many of them at a time, so
  // that it stays up to date.
  apply(rows, oldest) {
    this.#oldest = oldest;
    for (const row of rows) this.#pending.set(row.id, row);
    for (const id of this.#pending.keys()) if (id < oldest) this.#pending.delete(id);
    this.#soon();
  }

  #soon() {
    if (this.#paused || this.#waiting) return;
    this.#waiting = true;
    setTimeout(() => { // after the messages that have already come
      this.#waiting = false;
      if (!this.#paused) this.#show();
    });
  }

  #show() {
    const rows = [...this.#pending.values()], oldest = this.#oldest;
    this.#pending.clear();
    this.#sayGap(rows, oldest);
    const ties = [];
    const fresh = document.createDocumentFragment();
    for (const row of rows) {
      this.#newest = Math.max(this.#newest, row.id);
      const known = this.#rows.get(row.id);
      const li = known ? known.element : this.#template.content.firstElementChild.cloneNode(true);
      this.#set(li, row);
      this.#rows.set(row.id, { row, element: li });
      if (row.number) this.#numbers.set(row.number, row.id);
      if (!known) fresh.append(li);
      if (row.reply_to && row.number) ties.push(row.id);
    }
    this.#list.append(fresh);
    for (const [id, { row, element }] of this.#rows) {
      if (id >= oldest) break; // in order
      element.remove();
      this.#rows.delete(id);
      if (this.#numbers.get(row.number) === id) this.#numbers.delete(row.number);
    }
    this.#draw(ties);
    if (this.#follow) this.toNewest();
  }

  // sayGap adds a line for rows that came and went while the page slept, was slow or was
  // paused.
  #sayGap(rows, oldest) {
    if (this.#gap && oldest > this.#gap.until) {
      this.#gap.li.remove();
      this.#gap = null;
    }
    const missing = oldest - this.#newest - 1;
    if (!this.#newest || missing <= 0) return;
    this.#gap?.li.remove();
    const li = document.createElement("li"), text = document.createElement("span");
    li.className = "silence";
    li.setAttribute("role", "presentation");
    text.textContent = `${missing.toLocaleString("en")} lines are missing here: they came while this page slept, was slow or was paused`;
    li.append(text);
    this.#list.prepend(li);
    this.#gap = { li, until: rows.at(-1)?.id ?? oldest };
  }

  #set(li, row) {
    li.className = row.class;
    li.id = "row" + row.id;
    li.dataset.id = row.id;
    li.setAttribute("role", "option");
    li.setAttribute("aria-selected", String(row.id === this.#chosen));
    const set = (name, text) => { li.querySelector("." + name).textContent = text || ""; };
    set("at", row.time);
    set("name", row.name);
    set("way", row.way);
    set("text", row.text);
    set("size", row.size);
    set("answers", row.answers);
    if (row.took !== undefined && !li.querySelector(".bars")) {
      const bars = document.createElement("span");
      bars.className = "bars";
      for (const part of ["thought", "took"]) {
        if (!row[part]) continue;
        const bar = document.createElement("i");
        bar.className = part;
        bar.style.setProperty("--ms", row[part]);
        bars.append(bar);
      }
      li.querySelector(".packet").append(bars);
      this.#setScale(Math.max(this.#scale, (row.thought || 0) + row.took));
    }
  }

  // setScale makes a bar of this many milliseconds as long as the ladder is wide.
  #setScale(ms) {
    this.#scale = ms;
    this.#list.style.setProperty("--scale", ms);
  }

  // draw connects answers to their requests. It reads all positions before it writes
  // any, so that the browser computes only one layout.
  #draw(ids) {
    const found = [];
    for (const id of ids) {
      const answer = this.#rows.get(id);
      const asked = answer && this.#rows.get(this.#numbers.get(answer.row.reply_to));
      if (!asked) continue;
      const end = (e) => e.offsetTop + e.offsetHeight;
      found.push([answer.element, end(answer.element) - end(asked.element)]);
    }
    const gutter = matchMedia("(max-width: 46rem)").matches ? 24 : 42;
    for (const [li, rise] of found) {
      let tie = li.querySelector(".tie");
      if (!tie) {
        tie = document.createElement("span");
        tie.className = "tie";
        tie.dataset.lane = this.#ties++ % lanes;
        li.append(tie);
      }
      const reach = (Number(tie.dataset.lane) + 1) / lanes * (gutter - 10) + 8;
      tie.style.setProperty("--rise", rise + "px");
      tie.style.setProperty("--reach", reach + "px");
    }
  }

  #drawAll() { this.#draw([...this.#rows.values()].filter(({ row }) => row.reply_to && row.number).map(({ row }) => row.id)); }

  toNewest() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#top = this.#list.scrollTop;
    this.#follow = true;
    this.onfollow?.(true);
  }

  // choose marks a row. asked is whether the user wants it opened.
  choose(id, asked) {
    for (const li of this.#list.querySelectorAll("[aria-selected=true], .mate")) {
      li.setAttribute("aria-selected", "false");
      li.classList.remove("mate");
    }
    this.#chosen = id;
    const found = this.#rows.get(id);
    if (!found) {
      this.#list.removeAttribute("aria-activedescendant");
      return;
    }
    found.element.setAttribute("aria-selected", "true");
    this.#list.setAttribute("aria-activedescendant", found.element.id);
    for (const { row, element } of this.#rows.values()) {
      if (row.number && (row.number === found.row.reply_to || row.reply_to === found.row.number)) element.classList.add("mate");
    }
    if (asked) this.#open(found.row);
  }

  chooseNumber(number) {
    const id = this.#numbers.get(number);
    this.choose(id || 0, false);
    if (id) this.#rows.get(id).element.scrollIntoView({ block: "nearest" });
  }

  // step moves the choice by a number of rows.
  step(by) {
    const ids = [...this.#rows.keys()];
    if (ids.length === 0) return;
    const at = ids.indexOf(this.#chosen);
    const next = ids[at < 0 ? ids.length - 1 : Math.max(0, Math.min(ids.length - 1, at + by))];
    this.choose(next, false);
    this.#follow = false;
    this.#rows.get(next).element.scrollIntoView({ block: "nearest" });
  }

  openChosen() {
    const found = this.#rows.get(this.#chosen);
    if (found) this.#open(found.row);
  }
}
