// All that moves by itself: elapsed times, due times, rings, meters. One module, one timer; the server sends the start
// instants (epoch seconds), nothing here counts on its own.
import { now } from "./clock.js";
import { cadence, say } from "./words.js";

const [on, off] = cadence;
const period = on + off;
export const ringNow = (since) => Math.max(1, Math.floor((now() - since) / period) + 1);

export function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds)), h = Math.floor(s / 3600), pad = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}` : `${Math.floor(s / 60)}:${pad(s % 60)}`;
}

// What is left rounds down, what is over rounds up: never better than it is.
function span(seconds, up) {
  const round = up ? Math.ceil : Math.floor, minutes = round(seconds / 60);
  if (minutes < 60) return say("minutes", minutes);
  if (minutes < 1440) return say("hours", Math.floor(minutes / 60), minutes % 60);
  return say("days", Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60));
}

const put = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };
const each = (selector, what) => document.querySelectorAll(selector).forEach(what);
const ramp = (element, due, over) => { element.classList.toggle("is-due", due); element.classList.toggle("is-over", over); };

function drawRings(svg) {
  const heard = Math.max(0, now() - Number(svg.dataset.since));
  svg.querySelectorAll(".fg--on").forEach((bar, n) => bar.setAttribute("width", 20 * Math.min(1, Math.max(0, (heard - n * period) / on))));
  svg.querySelectorAll(".fg--off").forEach((bar, n) => bar.setAttribute("width", 74 * Math.min(1, Math.max(0, (heard - n * period - on) / off))));
}

function ringCard(card) {
  const since = Number(card.dataset.ringSince), ring = ringNow(since), allowed = Number(card.dataset.rings), left = card.querySelector("[data-ring-left]");
  put(card.querySelector("[data-ring-number]"), say("ring", ring));
  if ("ringMini" in card.dataset) {
    card.classList.toggle("t-accent", ring < allowed - 1); card.classList.toggle("t-due", ring === allowed - 1); card.classList.toggle("t-over", ring >= allowed);
    return;
  }
  card.classList.toggle("is-talk", ring < allowed - 1); ramp(card, ring === allowed - 1, ring >= allowed);
  if (ring > Number(card.dataset.ring)) { // the ladder beside it is drawn by the server, once for each ring
    card.dataset.ring = ring;
    document.dispatchEvent(new CustomEvent("ring"));
  }
  const rest = allowed * period - (now() - since);
  put(left, rest >= 0 ? `${left.dataset.wordsLeft} ${say("seconds", Math.floor(rest))}` : `${left.dataset.wordsOver} ${say("seconds", Math.ceil(-rest))}`);
}

// Of a ring nothing is known while the line is down: somebody may have lifted long ago.
function fast() {
  if (document.body.classList.contains("is-cut")) return;
  each("svg.rings[data-since]", drawRings);
  each("[data-ring-since]", ringCard);
}

function slow() {
  each("[data-up]", (e) => put(e, duration(now() - Number(e.dataset.up))));
  each("[data-left]", (e) => {
    const due = Number(e.dataset.left), rest = due - now(), all = due - Number(e.dataset.from || 0);
    const risk = "warn" in e.dataset ? now() >= Number(e.dataset.warn) : rest < Math.max(300, all / 4);
    e.classList.toggle("clk--over", rest < 0); e.classList.toggle("clk--due", rest >= 0 && risk);
    put(e.querySelector("[data-words]"), rest >= 0 ? say("left", span(rest, false)) : say("over", span(-rest, true)));
  });
  each("[data-ramp]", (e) => {
    const gone = now() - Number(e.dataset.ramp), due = gone >= Number(e.dataset.due), over = gone >= Number(e.dataset.over);
    ramp(e, due && !over, over);
    const small = e.querySelector("[data-ramp-words]");
    if (small) put(small, small.dataset.rampWords.split("|")[over ? 2 : due ? 1 : 0]);
    const timer = e.querySelector(".timer");
    if (timer) { timer.classList.toggle("t-due", due && !over); timer.classList.toggle("t-over", over); }
  });
  each("[data-meter]", (e) => {
    const gone = now() - Number(e.dataset.meter);
    e.querySelector(".fg").setAttribute("width", Math.min(300, Math.max(0, gone * 4)));
    e.classList.toggle("meter--due", gone >= 45 && gone < 60); e.classList.toggle("meter--over", gone >= 60);
  });
  each("[data-bar]", (e) => {
    const gone = now() - Number(e.dataset.bar), limit = Number(e.dataset.limit), share = limit ? gone / limit : 1;
    e.querySelector(".fg").setAttribute("width", 100 * Math.min(1, Math.max(0, share)));
    e.classList.toggle("clk--due", share >= 0.75);
    put(e.querySelector("b"), share < 0.75 ? e.dataset.words : share < 1 ? say("left", duration(limit - gone)) : say("over", duration(Math.ceil(gone - limit))));
  });
  each("[data-window]", (e) => {
    const gone = now() - Number(e.dataset.window);
    e.hidden = gone < Number(e.dataset.from) || gone >= Number(e.dataset.until ?? Infinity);
  });
}

export function tick() { fast(); slow(); }

export function start() {
  tick();
  setInterval(fast, 250);
  setInterval(slow, 1000);
  document.body.addEventListener("htmx:afterSettle", tick);
  document.body.addEventListener("htmx:oobAfterSwap", tick);
}
