// The ticket's form saves itself: 400 ms after the last key, on leaving a field, on Ctrl+S, on leaving the page.
// What the server has not acknowledged lies in localStorage, per person and ticket, and is sent again after a reload,
// a lost line or a restart. A field with the focus or with unsaved text is never written into.
import { now } from "./clock.js";
import { send, toast } from "./net.js";
import { since } from "./live.js";
import { tick } from "./ticks.js";
import { clockTime, dayTime, hm, say, who } from "./words.js";

const WAIT_MS = 400, LONGEST_MS = 2000;
const WANTED = ["caller_name", "organisation", "phone", "problem", "result"];
const keyOf = (ticket) => `cc:unsent:${who}:${ticket}`;
// This page towards the store, the same after a reload: what it wrote itself is no conflict to it.
const fresh = () => `p-${Date.now()}-${Math.random().toString(36).slice(2)}`;
const origin = (sessionStorage["cc:page"] ??= fresh());

function stored(ticket) {
  try { return { fields: {}, promises: [], draft: {}, ...JSON.parse(localStorage.getItem(keyOf(ticket)) ?? "{}") }; }
  catch { return { fields: {}, promises: [], draft: {} }; }
}

export class TicketForm {
  constructor(form) {
    this.form = form; this.id = Number(form.dataset.ticket); this.version = Number(form.dataset.version);
    this.readonly = "readonly" in form.dataset;
    this.unsent = this.readonly ? { fields: {}, promises: [], draft: {} } : stored(this.id);
    this.busy = false; this.tries = 0; this.failedAt = 0; this.refused = ""; this.touchedAt = 0; this.dead = false;
    this.late = {}; // what others wrote into the field under the cursor, not shown there yet
    this.inputs = new Map([...form.querySelectorAll("[data-field]")].map((box) => [box.dataset.field, box.querySelector("[name]")]));
    if (this.readonly) return;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", (event) => this.typed(event));
    form.addEventListener("focusout", (event) => { if (event.target.name) this.left(event.target); });
    form.addEventListener("pointerdown", () => { this.touchedAt = Date.now(); });
    form.addEventListener("keydown", (event) => this.key(event));
    form.addEventListener("click", (event) => this.clicked(event));
    this.restore();
  }

  // ---- state ----
  get dirty() { return Object.keys(this.unsent.fields).length > 0 || this.unsent.promises.length > 0; }
  get quiet() { return !this.dirty && !this.busy && !this.form.contains(document.activeElement) && Date.now() - this.touchedAt > 10000; }

  keep() {
    const { fields, promises, draft } = this.unsent;
    const empty = !Object.keys(fields).length && !promises.length && !draft.text && !draft.due;
    if (empty) localStorage.removeItem(keyOf(this.id));
    else localStorage.setItem(keyOf(this.id), JSON.stringify(this.unsent));
  }

  status(kind, text) {
    const line = document.getElementById("saved");
    if (!line || this.dead) return;
    line.className = `saved end is-${kind}`;
    line.querySelector("[data-words]").textContent = text;
  }

  show(savedAt) {
    if (this.refused) this.status("cut", say("refused", this.refused));
    else if (this.failedAt) this.status("cut", say("not_saved", hm(since() || this.failedAt)));
    else if (this.busy) this.status("busy", say("saving"));
    else if (this.dirty) this.status("dirty", say("unsaved"));
    else if (savedAt) this.status("ok", say("saved", clockTime(savedAt)));
  }

  restore() {
    for (const [name, value] of Object.entries(this.unsent.fields)) {
      const input = this.inputs.get(name);
      if (input) { input.value = value; this.mark(name); }
    }
    this.form.elements.promise_text.value = this.unsent.draft.text ?? "";
    this.form.elements.promise_due.value = this.unsent.draft.due ?? "";
    if (this.dirty) { this.show(); this.flush(); }
  }

  // ---- typing ----
  typed(event) {
    const { name, value } = event.target;
    this.touchedAt = Date.now();
    if (name === "promise_text" || name === "promise_due") {
      this.unsent.draft = { text: this.form.elements.promise_text.value, due: this.form.elements.promise_due.value };
      this.keep();
      return;
    }
    if (!this.inputs.has(name)) return;
    if (!this.dirty) this.unsent.base = this.version;
    if (name in this.late) { // the server shall tell both texts: build on the version that this person has seen
      this.unsent.base = Math.min(this.unsent.base, this.late[name].seen);
      delete this.late[name];
    }
    this.unsent.fields[name] = value;
    this.refused = "";
    this.keep(); this.mark(name); this.show();
    clearTimeout(this.timer);
    if (event.isComposing) return; // half a syllable is no text; compositionend brings an input event of its own
    this.firstAt ||= Date.now();
    this.timer = setTimeout(() => this.flush(), Date.now() - this.firstAt > LONGEST_MS ? 0 : WAIT_MS);
  }

  left(input) {
    const { [input.name]: late } = this.late;
    delete this.late[input.name];
    if (late) this.receive(input.name, late.value);
    if (this.dirty) this.flush();
  }

  key(event) {
    const { name } = event.target;
    if (event.key === "Enter" && !event.isComposing && !event.ctrlKey && !event.metaKey && (name === "promise_text" || name === "promise_due")) {
      event.preventDefault();
      this.promise();
    }
  }

  mark(name) {
    const box = this.form.querySelector(`[data-field="${name}"]`), empty = !this.inputs.get(name).value.trim(), ask = box.querySelector("[data-ask]");
    box.classList.remove("is-auto");
    if (ask) { ask.hidden = !empty; box.classList.toggle("is-missing", empty); }
    this.lacking();
  }

  lacking() {
    const names = WANTED.filter((name) => !this.inputs.get(name).value.trim()), chip = this.form.querySelector("[data-missing-count]");
    if (chip) {
      chip.querySelector("[data-words]").textContent = say("missing", names.length);
      chip.hidden = !names.length || this.running;
    }
    return names;
  }

  // ---- sending ----
  /** Done when everything typed up to now has been answered, also by a save that was on its way already. */
  flush({ keepalive = false } = {}) {
    clearTimeout(this.timer); this.firstAt = 0;
    if (this.readonly || (!this.busy && !this.dirty)) return Promise.resolve();
    if (this.busy && !keepalive) { this.again = true; return this.saving; }
    this.saving = this.save(keepalive);
    return this.saving;
  }

  async save(keepalive) {
    this.busy = true; this.show();
    const fields = { ...this.unsent.fields };
    let done = true, savedAt = now();
    if (Object.keys(fields).length) {
      const answer = await send("POST", `/api/tickets/${this.id}/fields`, { base_version: this.unsent.base ?? this.version, origin, fields }, { keepalive });
      done = this.acknowledged(answer, () => {
        for (const [name, value] of Object.entries(fields)) if (this.unsent.fields[name] === value) delete this.unsent.fields[name];
      });
      savedAt = answer.data.saved_at ?? savedAt;
    }
    for (const promise of done ? [...this.unsent.promises] : []) {
      const answer = await send("POST", `/api/tickets/${this.id}/promises`, promise, { keepalive });
      if (answer.status === 400) this.badPromise(promise, answer.data.error);
      done = this.acknowledged(answer.status === 400 ? { ok: true, data: {} } : answer, () => {
        this.unsent.promises = this.unsent.promises.filter((one) => one.key !== promise.key);
      });
      if (!done) break;
    }
    this.busy = false; this.keep(); this.show(savedAt);
    if (!done) this.later();
    else if (this.again || this.dirty) { this.again = false; await this.flush(); }
  }

  acknowledged(answer, forget) {
    if (answer.ok) {
      this.failedAt = 0; this.tries = 0; this.refused = "";
      forget();
      if (answer.data.version) { this.unsent.base = answer.data.version; this.take(answer.data, answer.data.conflicts); }
      return true;
    }
    if (answer.status >= 400 && answer.status < 500 && answer.status !== 408 && answer.status !== 429) this.refused = answer.data.error ?? String(answer.status);
    else this.failedAt ||= now();
    return false;
  }

  later() {
    if (this.refused) return;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.flush(), Math.min(8000, 500 * 2 ** this.tries++) * (0.5 + Math.random()));
  }

  // ---- what the server says ----
  take(ticket, conflicts = []) {
    if (ticket.version < this.version) return;
    const seen = this.version;
    this.version = ticket.version;
    for (const [name, value] of Object.entries(ticket.fields)) this.receive(name, value, seen);
    for (const name of ticket.automatic ?? []) if (this.inputs.get(name)?.value) this.form.querySelector(`[data-field="${name}"]`).classList.add("is-auto");
    if ("running" in ticket) this.form.toggleAttribute("data-running", ticket.running);
    if (ticket.promises) this.promises(ticket.promises);
    for (const conflict of conflicts ?? []) this.conflict(conflict);
  }

  receive(name, value, seen) {
    const input = this.inputs.get(name);
    if (!input || name in this.unsent.fields) return;
    if (input.value === value) { delete this.late[name]; return; }
    if (input === document.activeElement) { this.late[name] = { value, seen: this.late[name]?.seen ?? seen }; return; }
    if (input.tagName === "SELECT" && ![...input.options].some((one) => one.value === value)) input.add(new Option(value, value));
    input.value = value;
    this.mark(name);
  }

  conflict({ field, theirs, by, at }) {
    const box = this.form.querySelector(`[data-field="${field}"] [data-conflict]`);
    if (!box) return;
    const words = document.createElement("span"), row = document.createElement("span");
    words.textContent = say("conflict", by, theirs, dayTime(at, now()));
    const button = (text, what) => {
      const one = document.createElement("button");
      one.type = "button"; one.className = "btn btn--sm"; one.textContent = text;
      one.addEventListener("click", () => { what(); box.hidden = true; box.replaceChildren(); });
      row.append(one);
    };
    button(say("take_theirs"), () => {
      const input = this.inputs.get(field);
      input.value = theirs;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
    button(say("keep_mine"), () => {});
    box.replaceChildren(words, row);
    box.hidden = false;
  }

  async refresh() {
    if (this.busy || this.dirty) { this.again = true; return; }
    const answer = await send("GET", `/api/tickets/${this.id}`);
    if (answer.ok && !this.busy && !this.dirty) { this.take(answer.data); this.show(); }
  }

  // ---- promises ----
  promise() {
    const { promise_text: text, promise_due: due } = this.form.elements;
    document.getElementById("p-help").textContent = "";
    if (!text.value.trim()) { text.focus(); return; }
    this.unsent.promises.push({ key: fresh(), text: text.value, due: due.value });
    this.unsent.draft = {};
    text.value = due.value = "";
    this.keep(); this.flush(); text.focus();
  }

  badPromise(promise, error) {
    const { promise_text: text, promise_due: due } = this.form.elements;
    if (!text.value) { text.value = promise.text; due.value = promise.due; this.unsent.draft = { text: promise.text, due: promise.due }; }
    document.getElementById("p-help").textContent = error;
    due.focus();
  }

  // Whether a promise stands in its field that the ticket did not take: finishing would lose it.
  async promiseLeft() {
    const { promise_text: text, promise_due: due } = this.form.elements;
    if (text?.value.trim() && !document.getElementById("p-help").textContent) this.promise();
    await this.flush();
    if (!text?.value.trim()) return false;
    due.focus();
    return true;
  }

  promises(all) {
    const list = document.getElementById("promises"), template = document.getElementById("promise-template");
    if (!template || list.contains(document.activeElement)) return;
    const was = JSON.stringify(all);
    if (this.promisesShown === was) return;
    this.promisesShown = was;
    list.replaceChildren(...all.map(({ key, text, due_at: due, done }) => {
      const item = template.content.cloneNode(true).firstElementChild, clock = item.querySelector(".clk");
      item.dataset.promise = key; item.classList.toggle("is-done", done);
      item.querySelector("input").checked = done; item.querySelector("bdi").textContent = text;
      if (due && !done) {
        clock.hidden = false; clock.dataset.left = due; clock.dataset.from = now();
        clock.querySelector("[data-at]").textContent = dayTime(due, now());
      }
      return item;
    }));
    tick();
  }

  async clicked({ target }) {
    if (target.closest("[data-add-promise]")) this.promise();
    const box = target.closest("[data-promise] input");
    if (!box) return;
    const answer = await send("POST", `/api/tickets/${this.id}/promises/${box.closest("[data-promise]").dataset.promise}`, { done: box.checked });
    if (!answer.ok) { box.checked = !box.checked; toast(answer.data.error ?? say("not_saved", hm(now())), true); return; }
    box.blur(); this.take(answer.data);
  }

  choose(values) {
    for (const [name, value] of Object.entries(values)) {
      const input = this.inputs.get(name);
      if (!value || !input || input.value === value) continue;
      input.value = value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.flush();
  }

  gone() { this.dead = true; clearTimeout(this.timer); clearTimeout(this.retry); }
}

// Edits of tickets that are not on the screen any more, left by a crash or a closed page.
export async function sendForgotten(shown) {
  const prefix = keyOf("");
  for (const key of Object.keys(localStorage).filter((one) => one.startsWith(prefix) && one !== keyOf(shown ?? 0))) {
    const ticket = Number(key.slice(prefix.length)), unsent = stored(ticket);
    let done = true;
    if (Object.keys(unsent.fields).length) {
      const answer = await send("POST", `/api/tickets/${ticket}/fields`, { base_version: unsent.base ?? 0, origin, fields: unsent.fields });
      if (answer.ok) unsent.fields = {}; else done = false;
    }
    for (const promise of done ? [...unsent.promises] : []) {
      const answer = await send("POST", `/api/tickets/${ticket}/promises`, promise);
      if (answer.ok || answer.status === 400) unsent.promises = unsent.promises.filter((one) => one !== promise);
    }
    if (!Object.keys(unsent.fields).length && !unsent.promises.length && !unsent.draft.text) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(unsent));
  }
}
