// The desk follows the call: fetches the regions that a push names, and changes the middle only when nobody works there.
/* global htmx */
import * as attention from "./attention.js";
import { now } from "./clock.js";
import { send, toast, toLogin } from "./net.js";
import { TicketForm, sendForgotten } from "./save.js";
import { tick } from "./ticks.js";
import { date, hm, say } from "./words.js";

const body = document.body, isDesk = body.dataset.page === "desk";
const wanted = new Set(), stale = new Set();
let form = null, shown = {}, fetching = false, anyway = false, idleStale = false, drawnOn = date(now());

// ---- regions ----
async function fetchRegions(...names) {
  for (const name of names) if (document.getElementById(name)) wanted.add(name);
  if (fetching) return;
  fetching = true;
  while (wanted.size) {
    const names = [...wanted].filter((name) => name !== "trail" || trailFits());
    wanted.clear();
    const before = answers;
    if (names.length) await htmx.ajax("GET", `/desk/fragments?p=${body.dataset.page}&r=${names.join(",")}`, { target: "body", swap: "none" }).catch(() => {});
    if (names.includes("call") && answers !== before) fetchHeard(); // what came meanwhile had no place yet, or was drawn over
  }
  fetching = false;
}

// What is said in the call, while it is said: its own region, so that nothing else is drawn anew several times a second.
// Other pages than the desk have its sign in the call bar only: a forbidden phrase that the seat has not looked at yet.
let hearing = false, more = false, answers = 0;
const told = new Set();
async function fetchHeard() {
  if (hearing) { more = true; return; }
  hearing = true;
  do {
    more = false;
    const answer = await fetch(`/desk/heard?p=${body.dataset.page}`, { credentials: "same-origin", cache: "no-store" }).catch(() => null);
    if (answer?.ok) showHeard(await answer.text());
  } while (more);
  hearing = false;
}

const phrases = (sign) => [...sign?.querySelectorAll("[data-phrase]") ?? []];

function showHeard(html) {
  const answer = new DOMParser().parseFromString(html, "text/html"), sign = answer.getElementById("b8");
  answers++;
  for (const fresh of [sign, answer.getElementById("heard")]) {
    const old = fresh && document.getElementById(fresh.id);
    if (!old || old.isEqualNode(fresh)) continue;
    const focused = old.contains(document.activeElement);
    old.replaceWith(fresh);
    if (focused) fresh.focus();
  }
  tellOnce(sign);
  countForbidden();
}

// A screen reader hears each phrase once; that it was only doubtful before is no news.
function tellOnce(sign, aloud = true) {
  const news = phrases(sign).filter((one) => !told.has(`${sign.dataset.call} ${one.dataset.phrase}`));
  for (const one of news) told.add(`${sign.dataset.call} ${one.dataset.phrase}`);
  if (aloud && news.length) document.getElementById("said").textContent = news.map((one) => one.textContent.trim()).join(" ");
}

function countForbidden() {
  const box = document.getElementById("b8-count"), n = Number(document.getElementById("b8")?.dataset.count ?? 0);
  if (!box) return;
  box.hidden = !n;
  box.lastElementChild.textContent = n;
}

// The seat has opened the pane: the sign goes, on all of its pages.
function lookedAt() {
  const sign = document.getElementById("b8");
  if (!sign?.dataset.call) return;
  const shown = phrases(sign), name = (one) => one.dataset.phrase, perhaps = shown.filter((one) => "perhaps" in one.dataset).map(name);
  // What was doubtful comes back, and is told again, once it is certain.
  for (const one of perhaps) told.delete(`${sign.dataset.call} ${one}`);
  send("POST", "/api/seat/seen", { call: sign.dataset.call, phrases: shown.map(name), perhaps });
}

function openHeard() {
  body.dataset.tab = "aid"; tabs();
  document.getElementById("heard")?.scrollIntoView({ block: "nearest" });
  lookedAt();
}

const trailFits = () => form && shown.ticket === form.id;

// A list is not changed under the pointer or the focus unless it now tells of another call.
function mayReplace(old, fresh) {
  if (!("calm" in old.dataset) || old.dataset.key !== fresh.dataset.key) return true;
  return !old.matches(":hover") && !old.contains(document.activeElement);
}

body.addEventListener("htmx:oobBeforeSwap", (event) => {
  const old = event.detail.target, fresh = event.detail.fragment?.firstElementChild;
  if (fresh && !mayReplace(old, fresh)) {
    event.preventDefault();
    stale.add(old.id);
    old.addEventListener("pointerleave", () => { if (stale.delete(old.id)) fetchRegions(old.id); }, { once: true });
    return;
  }
  if (old.id === "who") openIds = [...old.querySelectorAll("details[open]")].map((one) => one.dataset.id);
  scrolls = [...old.querySelectorAll(".panel__b--scroll")].map((one) => one.scrollTop);
});
let openIds = [], scrolls = [];
body.addEventListener("htmx:oobAfterSwap", (event) => {
  const region = document.getElementById(event.detail.target.id);
  if (!region) return;
  if (region.id === "call") countForbidden();
  for (const id of openIds) region.querySelector(`details[data-id="${CSS.escape(id)}"]`)?.setAttribute("open", "");
  region.querySelectorAll(".panel__b--scroll").forEach((one, n) => { one.scrollTop = scrolls[n] ?? 0; });
});

// ---- the middle ----
function bindForm() {
  const element = document.getElementById("ticket");
  if (form?.form === element) return;
  form?.gone();
  form = element ? new TicketForm(element) : null;
  running();
}

function running() {
  if (!form) return;
  const live = isDesk ? shown.ticket === form.id && ["ringing", "talking", "hold"].includes(shown.state) : form.form.hasAttribute("data-running");
  form.running = live;
  form.form.querySelectorAll("[data-when]").forEach((one) => { one.hidden = (one.dataset.when === "running") !== live; });
  if (!form.readonly) form.lacking();
}

// A ticket's own page, opened while its call runs.
function followCall() {
  if (!isDesk && form?.running) form.refresh().then(running);
}

async function showWork() {
  const answer = await fetch("/desk/work", { credentials: "same-origin", cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  const html = await answer.text(), work = answer.headers.get("X-Work");
  if (form && !form.quiet && work !== body.dataset.work && !anyway) return;
  anyway = false;
  htmx.swap("#work", html, { swapStyle: "innerHTML" });
  body.dataset.work = work; body.dataset.mode = work.split(":")[0];
  if (body.dataset.mode !== "form") body.dataset.tab = "form";
  other(false);
  bindForm(); tabs(); tick();
}

function other(show) {
  const note = document.getElementById("other");
  if (note && note.hidden === show) note.hidden = !show;
}

function followWork() {
  if (!isDesk || !shown.work) return;
  if (shown.work === body.dataset.work) { other(false); return; }
  const busyForm = form && !form.quiet;
  if (busyForm && !anyway) { other(shown.work.startsWith("form:")); return; }
  showWork();
}

// The free seat's lists, when something in them changed or a day began; never under the pointer or the focus.
function refreshIdle() {
  const box = document.getElementById("work"), today = date(now());
  if (drawnOn !== today) { drawnOn = today; idleStale = true; fetchRegions("call", "state"); }
  if (!isDesk || !idleStale || body.dataset.mode !== "idle" || document.hidden) return;
  if (box.matches(":hover") || box.contains(document.activeElement)) return;
  idleStale = false;
  showWork();
  fetchRegions("who", "aid");
}

async function openOther() {
  if (!form) return;
  await form.flush();
  anyway = true;
  document.activeElement?.blur();
  await showWork();
  form?.inputs.get("caller_name")?.focus();
}

// ---- pushes ----
function signal(data) {
  const was = shown;
  shown = data;
  body.dataset.state = data.state;
  attention.signal(data);
  if (!isDesk) { fetchRegions("state", "call"); followCall(); return; }
  const sameCall = was.ticket === data.ticket && was.state === data.state;
  fetchRegions("call", "state", "notes", "aid", "trail", ...(sameCall && data.state !== "free" ? [] : ["who"]));
  running(); followWork();
}

function bye(reason) {
  if (reason === "logout" && !form?.dirty) { location.assign("/login"); return; }
  if (reason === "ended" && !form?.dirty) { toLogin(); return; }
  toast(reason === "tabs" ? say("too_many_tabs") : say("logged_out"), true);
}

// ---- what the seat does ----
async function finish(what, ticket) {
  if (form && form.id === ticket) {
    const left = await form.promiseLeft();
    await form.flush();
    if (form.dirty) { toast(say("leave_unsaved"), true); return; }
    if (left) return;
    const lack = form.lacking(), note = document.getElementById("lack");
    if (what === "close" && lack.length && note.hidden) {
      note.querySelector("[data-words]").textContent = lack.map((name) => form.form.querySelector(`label[for="f-${name}"]`).textContent).join(say("comma"));
      note.hidden = false;
      form.inputs.get(lack[0]).focus();
      return;
    }
  }
  const answer = await send("POST", `/api/tickets/${ticket}/${what}`, {});
  if (!answer.ok) { toast(answer.data.error ?? say("not_saved", hm(now())), true); return; }
  if (!isDesk) { location.reload(); return; }
  document.activeElement?.blur();
  anyway = true; shown.work = null;
  await showWork();
  fetchRegions("call", "who", "notes", "aid", "state");
  fetchHeard();
}

async function act(path, bodyOf, button) {
  button.setAttribute("aria-busy", "true");
  const answer = await send("POST", path, bodyOf);
  button.removeAttribute("aria-busy");
  if (!answer.ok) toast(answer.data.error ?? say("not_saved", hm(now())), true);
}

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  const finisher = at("[data-finish]"), pauser = at("[data-pause]"), recorder = at("[data-record]"), dialler = at("[data-dial]"), chosen = at("[data-choose]"), tab = at(".tabs [data-to]");
  if (isDesk && at("#b8")) { event.preventDefault(); openHeard(); }
  if (finisher) finish(finisher.dataset.finish, Number(finisher.dataset.ticket));
  if (at("[data-finish-anyway]") && form) finish("close", form.id);
  if (at("[data-open-other]")) openOther();
  if (recorder) act("/api/seat/recording", { paused: recorder.dataset.record === "true" }, recorder);
  if (pauser) act("/api/seat/pause", { paused: pauser.dataset.pause === "true", reason: "break" }, pauser);
  if (dialler) act("/api/seat/dial", { ticket: Number(dialler.dataset.dial) }, dialler);
  if (chosen && form && shown.ticket === form.id) form.choose(JSON.parse(chosen.dataset.choose));
  if (tab) { body.dataset.tab = tab.dataset.to; tabs(); if (tab.dataset.to === "aid") lookedAt(); }
});

// One track at a time: the seat's and the caller's are parts of the same sound.
document.addEventListener("play", ({ target }) => {
  for (const other of document.querySelectorAll("audio")) if (other !== target) other.pause();
}, true);

function tabs() {
  document.querySelectorAll(".tabs [data-to]").forEach((one) => one.setAttribute("aria-selected", String(one.dataset.to === body.dataset.tab)));
}

// A key never finishes a ticket that is not the one in front of the seat: that one is shown first.
function finishByKey(what) {
  const button = document.querySelector(`#call [data-finish="${what}"]`);
  if (button && form && form.id !== Number(button.dataset.ticket)) openOther();
  else button?.click();
}

export const actions = {
  save: () => form?.flush(),
  close: () => finishByKey("close"),
  leave: () => finishByKey("leave"),
  promise: () => document.getElementById("p-text")?.focus(),
  other: () => { if (!document.getElementById("other")?.hidden) openOther(); },
  choose: (n) => document.querySelectorAll("[data-choose]")[n]?.click(),
  pause: () => document.querySelector("[data-pause]")?.click(),
  record: () => document.querySelector("[data-record]")?.click(),
  dial: () => document.querySelector("[data-dial]")?.click(),
};

export function start() {
  bindForm(); tabs();
  if (body.dataset.signal) { shown = JSON.parse(body.dataset.signal); body.dataset.state = shown.state; attention.signal(shown); running(); }
  tellOnce(document.getElementById("b8"), false); countForbidden();
  if (isDesk && location.hash === "#heard") { history.replaceState(null, "", location.pathname); openHeard(); }
  sendForgotten(form?.id);
  document.addEventListener("live:hello", ({ detail }) => signal(detail));
  document.addEventListener("live:desk", ({ detail }) => signal(detail));
  document.addEventListener("live:board", () => {
    fetchRegions("state", "call", ...(isDesk && body.dataset.mode === "idle" ? ["aid"] : []));
    followCall();
  });
  document.addEventListener("live:heard", fetchHeard);
  document.addEventListener("live:hello", () => { if (document.getElementById("heard") || document.getElementById("b8")) fetchHeard(); });
  document.addEventListener("live:alarm", () => fetchRegions("state"));
  document.addEventListener("ring", () => fetchRegions("aid"));
  document.addEventListener("live:ticket", ({ detail }) => {
    if (form?.id === detail.ticket) form.refresh().then(running);
    if (isDesk && shown.ticket === detail.ticket) fetchRegions("call", "aid");
    idleStale = true;
  });
  document.addEventListener("live:up", () => { if (form?.dirty) form.flush(); sendForgotten(form?.id); });
  document.addEventListener("live:bye", ({ detail }) => bye(detail));
  document.addEventListener("visibilitychange", () => { if (document.hidden && form?.dirty) form.flush({ keepalive: true }); });
  addEventListener("pagehide", () => { if (form?.dirty) form.flush({ keepalive: true }); });
  document.getElementById("logout")?.addEventListener("submit", async (event) => {
    if (!form?.dirty) return;
    event.preventDefault();
    await form.flush();
    if (form.dirty) toast(say("leave_unsaved"), true); else event.target.submit();
  });
  setInterval(() => { followWork(); refreshIdle(); }, 2000);
}
