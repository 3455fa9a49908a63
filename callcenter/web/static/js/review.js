// The review page: list and search, scorecard, keys. The player is player.js.
/* global htmx */
import { now } from "./clock.js";
import { send, toast } from "./net.js";
import * as player from "./player.js";
import { hm, say, who } from "./words.js";

const FILTERS = `cc:review:${who}`, filters = document.getElementById("filters");
const card = () => document.getElementById("card");
const recording = () => card()?.dataset.recording;
const typing = () => document.activeElement?.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");

// ---- the list: its filters stay in this tab, and in no address ----
const remembered = () => { try { return JSON.parse(sessionStorage.getItem(FILTERS) ?? "{}"); } catch { return {}; } };
let goToFirst = false;

function remember() {
  const kept = Object.fromEntries([...new FormData(filters)].filter(([name]) => name !== "csrf"));
  sessionStorage.setItem(FILTERS, JSON.stringify(kept));
}

// What the page was asked for with counts more than what stands in the tab; from here on it is the page of the list.
function takeUp() {
  remember();
  history.replaceState(null, "", "/review");
}

function restore() {
  if ("asked" in filters.dataset) { takeUp(); return; }
  const kept = remembered();
  let any = false, more = false;
  for (const [name, value] of Object.entries(kept)) {
    const field = filters.elements.namedItem(name);
    if (!field || field.value === value) continue;
    field.value = value;
    any = true;
    more ||= Boolean(field.closest("details")) && value !== "";
  }
  if (more) document.getElementById("more-filters").open = true;
  if (any) filters.requestSubmit();
}

function markCurrent() {
  const id = recording();
  document.querySelectorAll("#list [data-call]").forEach((one) => { if (one.dataset.call === id) one.setAttribute("aria-current", "true"); });
}

function neighbour(step) {
  const calls = [...document.querySelectorAll("#list [data-call]")], here = calls.findIndex((one) => one.dataset.call === recording());
  const next = calls[here < 0 ? (step > 0 ? 0 : calls.length - 1) : here + step];
  (next?.closest("li").querySelector("[data-hit]") ?? next)?.click(); // after a search, to where it was said
}

// ---- calls whose transcript is on its way: their lines alone are drawn anew, so that nothing moves under the hand ----
const COMING_MS = 5000;
async function lookAgain() {
  const coming = [...document.querySelectorAll("#list [data-coming]")];
  if (!coming.length || document.hidden) return;
  const fresh = await listNow();
  for (const old of coming) {
    const id = old.querySelector("[data-call]").dataset.call, now = lineOf(id, fresh);
    if (!now || now.dataset.coming === old.dataset.coming) continue;
    old.replaceWith(now);
    if (id === recording() && !("coming" in now.dataset)) arrived();
  }
  markCurrent();
}

const lineOf = (id, from) => from?.querySelector(`#list [data-call="${id}"]`)?.closest("li");

async function listNow() {
  const body = new URLSearchParams(new FormData(filters)), { before } = document.getElementById("list").dataset;
  if (before) body.set("before", before);
  const answer = await fetch("/review/search", { method: "POST", body, credentials: "same-origin", headers: { "HX-Request": "true" } }).catch(() => null);
  return answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
}

// The open call's line, when a review of it became another: signed, disputed, answered.
async function redrawLine() {
  const old = lineOf(recording(), document), now = old && lineOf(recording(), await listNow());
  if (now) { old.replaceWith(now); markCurrent(); }
}

// The open call's words are there. Whoever has begun to work on it reloads when he likes.
function arrived() {
  if (!card().dataset.review && !player.position() && !typing()) location.reload(); else toast(say("review_arrived"));
}

function bindList() {
  if (!filters) return;
  setInterval(lookAgain, COMING_MS);
  filters.addEventListener("input", remember);
  filters.addEventListener("change", remember);
  filters.addEventListener("reset", () => setTimeout(() => { remember(); filters.requestSubmit(); }));
  document.addEventListener("click", ({ target }) => {
    const name = target.closest?.("[data-loosen]")?.dataset.loosen;
    if (!name) return;
    filters.elements.namedItem(name).value = "";
    remember();
    filters.requestSubmit();
    filters.elements.namedItem(name).focus();
  });
  filters.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.id === "q" && !event.isComposing) goToFirst = true; });
  document.body.addEventListener("htmx:afterSettle", () => {
    markCurrent();
    // Only what answers the words that stand there now: an older answer may come in between.
    if (goToFirst && filters.elements.q.value.trim() && document.getElementById("list").dataset.q === filters.elements.q.value) { goToFirst = false; document.querySelector("#list [data-hit]")?.click(); }
  });
  document.body.addEventListener("htmx:responseError", ({ detail }) => {
    let told = null;
    try { told = JSON.parse(detail.xhr.responseText).error; } catch { /* no sentence of ours */ }
    if (told) toast(told, true);
  });
  document.getElementById("logout")?.addEventListener("submit", () => sessionStorage.removeItem(FILTERS));
  // htmx binds the form when the document is parsed, in a listener that is older than this one.
  if (document.readyState === "complete") restore(); else document.addEventListener("DOMContentLoaded", restore, { once: true });
}

// ---- the scorecard ----
const questions = () => [...document.querySelectorAll("#questions [data-question]")];
const current = () => document.querySelector("#questions [aria-current]");

function choose(question) {
  current()?.removeAttribute("aria-current");
  question?.setAttribute("aria-current", "true");
  question?.scrollIntoView({ block: "nearest" });
}

function walk(step) {
  const all = questions(), here = all.indexOf(current());
  choose(all[Math.max(0, Math.min(all.length - 1, here < 0 ? 0 : here + step))]);
}

// Steps go out one after the other, so that the last one wins here as it does in the store.
let queue = Promise.resolve();
const inTurn = (step) => (queue = queue.then(step, step));

async function ensured() {
  if (card().dataset.review) return true;
  const answer = await send("POST", `/api/recordings/${recording()}/reviews`, {});
  if (!answer.ok) { refused(answer); return false; }
  card().dataset.review = String(answer.data.review);
  return true;
}

function refused(answer) {
  toast(answer.data.error ?? say("review_failed"), true);
  const saved = document.getElementById("card-saved");
  saved?.replaceChildren(answer.data.error ?? say("review_failed"));
  saved?.classList.add("t-over");
}

async function step(name, body) {
  if (!(await ensured())) return null;
  const answer = await send("POST", `/api/recordings/${recording()}/reviews/${card().dataset.review}/${name}`, body);
  if (!answer.ok) { refused(answer); return null; }
  told(answer.data);
  return answer.data;
}

function told({ least, most, open, zeroed, at }) {
  const total = document.getElementById("total"), left = document.getElementById("open-n"), saved = document.getElementById("card-saved");
  if (!total) return;
  const ends = [...new Set([least, most].map((one) => Math.round(one)))];
  total.textContent = least === null ? "—" : open.length ? ends.join("–") : String(least);
  left.textContent = (open.length ? say("review_open", open.length) : say("review_ready")) + (zeroed.length ? ` · ${say("review_zeroed")}` : "");
  saved.textContent = say("review_saved", hm(at));
  saved.classList.remove("t-over");
}

const KEYS = ["met", "partly", "missed", "na", null];
function rate(n) {
  const question = current() ?? questions()[0];
  if (!question || !("editable" in card().dataset)) return;
  choose(question);
  // A question that is answered by yes or no has no "partly".
  if (KEYS[n] !== null && !question.querySelector(`input[value=${KEYS[n]}]`)) return;
  question.querySelectorAll("input").forEach((one) => { one.checked = one.value === KEYS[n]; });
  answered(question, KEYS[n]);
  if (KEYS[n] !== null) walk(1);
}

// What the store has not taken yet is sent again with the next step, and nothing is signed before.
const unsaved = new Map();
async function saveAnswers() {
  for (const [question, verdict] of [...unsaved]) {
    if (!(await step("answer", { question, verdict }))) return false;
    if (unsaved.get(question) === verdict) unsaved.delete(question);
  }
  return true;
}

function answered(question, verdict) {
  disarm();
  unsaved.set(question.dataset.question, verdict);
  inTurn(saveAnswers);
}

async function redraw() {
  const answer = await fetch(`/review/${recording()}/card`, { credentials: "same-origin", cache: "no-store" }).catch(() => null);
  if (!answer?.ok) { location.reload(); return; }
  const html = await answer.text(), at = current()?.dataset.question, typed = document.getElementById("c-note")?.value;
  htmx.swap("#card", html, { swapStyle: "outerHTML" });
  choose(questions().find((one) => one.dataset.question === at));
  const note = document.getElementById("c-note");
  if (note && typed !== undefined) note.value = typed;
  player.seek(player.position());
  if (filters) redrawLine();
}

let armed = null;  // the question whether it is meant, while it stands there
function disarm() { armed?.remove(); armed = null; }
async function sign() {
  if (!("editable" in card().dataset)) return;
  await flushNote();
  if (!(await inTurn(saveAnswers))) return;
  const typed = document.getElementById("c-text");
  if (typed?.value.trim()) { typed.focus(); toast(say("review_comment_typed")); return; }
  const open = questions().filter((one) => !one.querySelector("input:checked"));
  if (open.length) { choose(open[0]); toast(say("review_unanswered")); return; }
  if (!armed) { armed = toast(say("review_sure")); return; }
  disarm();
  // Another tab may have changed the draft: what is signed is what stands here, or nothing.
  const answers = Object.fromEntries(questions().map((one) => [one.dataset.question, one.querySelector("input:checked")?.value ?? null]));
  if (await inTurn(() => step("sign", { answers }))) redraw();
}

let noteTimer = 0, noteSent = document.getElementById("c-note")?.value;
function flushNote() {
  clearTimeout(noteTimer);
  const text = document.getElementById("c-note")?.value;
  if (text === undefined || text === noteSent) return queue;
  noteSent = text;
  return inTurn(async () => { if (!(await step("note", { text }))) noteSent = undefined; });
}

async function comment(form) {
  const field = form.querySelector("#c-text"), text = field.value.trim();
  if (!text) return;
  const key = `c-${Date.now()}-${String(Math.random()).slice(2, 10)}`;
  await flushNote();
  if (await inTurn(() => step("comment", { key, moment: player.position(), text }))) { field.value = ""; keepTyped(); field.blur(); await redraw(); }
}

async function calibration(step) {
  const answer = await send("POST", `/api/recordings/${recording()}/${step}`, {});
  if (answer.ok) await redraw(); else refused(answer);
}

let setAside = null; // the question whether it is meant: the score is gone for good
async function dispute(form, name, body) {
  if (body.outcome === "set_aside" && !(setAside?.isConnected && setAside.dataset.review === form.dataset.answerDispute)) {
    setAside?.remove();
    setAside = toast(say("review_set_aside"));
    setAside.dataset.review = form.dataset.answerDispute;
    return;
  }
  setAside?.remove();

  const review = form.dataset.dispute ?? form.dataset.answerDispute;
  const answer = await send("POST", `/api/recordings/${recording()}/reviews/${review}/${name}`, body);
  if (answer.ok) redraw(); else toast(answer.data.error ?? say("review_failed"), true);
}

// A comment that was typed and not added outlives a reload.
const TYPED = () => `cc:comment:${who}:${recording()}`;
function keepTyped() {
  const text = document.getElementById("c-text")?.value ?? "";
  if (text.trim()) sessionStorage.setItem(TYPED(), text); else sessionStorage.removeItem(TYPED());
}

function bindCard() {
  const field = document.getElementById("c-text");
  if (field && !field.value) field.value = sessionStorage.getItem(TYPED()) ?? "";
  document.addEventListener("change", ({ target }) => {
    const question = target.closest?.("#questions [data-question]");
    if (question && target.type === "radio") { choose(question); answered(question, target.value); }
  });
  document.addEventListener("input", ({ target }) => {
    if (target.id === "c-text") { disarm(); keepTyped(); }
    if (target.id !== "c-note") return;
    disarm();
    clearTimeout(noteTimer);
    noteTimer = setTimeout(flushNote, 900);
  });
  document.addEventListener("focusout", ({ target }) => { if (target.id === "c-note") flushNote(); });
  document.addEventListener("click", (event) => {
    const question = event.target.closest("#questions [data-question]"), gone = event.target.closest("[data-uncomment]");
    if (question) choose(question);
    if (event.target.closest("#sign")) sign();
    const chosen = event.target.closest("[data-calibration]")?.dataset.calibration;
    if (chosen) { flushNote(); inTurn(() => calibration(chosen)); }
    if (gone) inTurn(async () => { if (await step("uncomment", { comment: Number(gone.dataset.uncomment) })) await redraw(); });
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.id === "comment") { event.preventDefault(); comment(form); }
    if (form.dataset.dispute) { event.preventDefault(); dispute(form, "dispute", { text: form.querySelector("textarea").value }); }
    if (form.dataset.answerDispute) { event.preventDefault(); dispute(form, "answer-dispute", { outcome: event.submitter?.value, text: form.querySelector("textarea").value }); }
  });
  addEventListener("pagehide", () => {
    const text = document.getElementById("c-note")?.value, review = card()?.dataset.review;
    if (review && text !== undefined && text !== noteSent) send("POST", `/api/recordings/${recording()}/reviews/${review}/note`, { text }, { keepalive: true });
  });
}

// ---- keys: before those of all pages (keys.js), because J and K walk findings here ----
function toFinding(direction) {
  const mark = player.finding(direction);
  if (!mark) return;
  choose(questions().find((one) => one.dataset.question === mark.question));
}

const LETTERS = {
  " ": player.toggle,
  "arrowleft": () => player.seek(player.position() - 5),
  "arrowright": () => player.seek(player.position() + 5),
  "arrowup": () => walk(-1),
  "arrowdown": () => walk(1),
  "j": () => toFinding(1),
  "k": () => toFinding(-1),
  "n": () => neighbour(1),
  "p": () => neighbour(-1),
  "c": () => document.getElementById("c-text")?.focus(),
  ...Object.fromEntries(KEYS.map((_, n) => [String(n + 1), () => rate(n)])),
};
const WALKS = ["arrowleft", "arrowright", "arrowup", "arrowdown"];

function command(event) {
  const control = event.ctrlKey || event.metaKey, key = event.key.toLowerCase(), focus = document.activeElement;
  if (control && event.key === "Enter" && card()) return sign;
  if (control || event.altKey || typing()) return undefined;
  if (key === " " && focus?.matches("button, a, summary") && focus.id !== "play") return undefined;
  if (WALKS.includes(key) && focus?.matches("[name=speed], [name=track]")) return undefined;
  return recording() || key === "n" || key === "p" ? LETTERS[key] : undefined;
}

addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const what = command(event);
  if (!what) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  what();
}, true);

player.start();
bindCard();
bindList();
document.body.dataset.review = "true";
