// The big screen: takes the parts that the server pushes, counts on from their start instants, and says so when it is
// not live. It comes back by itself, loads itself anew after an update, and moves by some pixels so that nothing burns in.
import { heard, hold, now } from "./clock.js";
import { drawLimits, each, put } from "./limits.js";
import { duration, ringNow, start as startTicks, tick } from "./ticks.js";
import { clockTime, hm, say } from "./words.js";

const SILENCE_MS = 5000, LONGEST_MS = 5000, REVOKED_MS = 30000, SHIFT_MS = 60000;
const SHIFTS = [[0, 0], [.6, 0], [.6, .45], [0, .45], [-.6, .45], [-.6, 0], [-.6, -.45], [0, -.45]]; // rem; the wall leaves so much at its edges
const body = document.body, cut = document.getElementById("cut");
let source = null, tries = 0, lastAt = performance.now(), lastNow = now(), reason = "", timer = 0;

// ---- what is pushed ----
function show(parts) {
  for (const [name, html] of Object.entries(parts)) {
    const box = document.querySelector(`[data-part="${name}"]`);
    if (box) box.innerHTML = html; // rendered and escaped by our own server, as the page itself
  }
  draw();
}

function on(name, what) {
  source.addEventListener(name, (event) => {
    const data = JSON.parse(event.data);
    if (data.now) { heard(data.now); lastNow = data.now; }
    lastAt = performance.now(); tries = 0; reason = "";
    what?.(data);
    state();
  });
}

function connect() {
  clearTimeout(timer);
  source?.close();
  source = new EventSource("/wallboard/live");
  source.onerror = lost;
  on("hello", ({ build }) => { if (build !== body.dataset.build) location.reload(); });
  on("parts", ({ parts }) => show(parts));
  on("beat");
  on("bye", (data) => { reason = data.reason === "stopping" ? "" : data.reason; lost(); });
}

// A stream's error does not say why; asking does, and a screen whose link was revoked must not knock for ever.
async function again() {
  const answer = await fetch("/wallboard/alive", { cache: "no-store", signal: AbortSignal.timeout(4000) }).catch(() => null);
  if (answer?.ok) return connect();
  if (answer && (answer.status === 401 || answer.status === 303)) reason = reason || "revoked";
  lost();
}

function lost() {
  source?.close(); source = null;
  clearTimeout(timer);
  const wait = reason ? REVOKED_MS : Math.min(LONGEST_MS, 300 * 2 ** tries++);
  timer = setTimeout(again, wait * (0.5 + Math.random()));
  state();
}

// ---- live or not ----
function state() {
  const stale = performance.now() - lastAt > SILENCE_MS;
  const words = reason === "revoked" ? say("wall_revoked") : reason === "logout" ? say("wall_logout") : "";
  body.classList.toggle("is-cut", stale || words !== "");
  cut.hidden = !stale && !words;
  hold(cut.hidden ? null : lastNow); // a ring that was answered long ago would go on ringing
  if (words) document.querySelectorAll("[data-part]").forEach((box) => box.replaceChildren()); // nobody's to see any more
  if (!cut.hidden) put(cut.querySelector("[data-words]"), `${say("wall_cut", clockTime(lastNow))}${words && ` · ${words}`}`);
  if (stale && source && performance.now() - lastAt > 4 * SILENCE_MS) lost(); // a line that died in silence
}

// ---- what moves by itself ----
function short(seconds) { // fits beside a name
  const s = Math.max(0, Math.floor(seconds));
  return s < 3600 ? duration(s) : s < 86400 ? `${Math.floor(s / 3600)}h${String(Math.floor(s / 60) % 60).padStart(2, "0")}` : `${Math.floor(s / 86400)}d`;
}

function draw() {
  tick();
  each("[data-clock]", (e) => put(e, hm(now())));
  each("[data-short]", (e) => put(e, short(now() - Number(e.dataset.short))));
  each("[data-ring-n]", (e) => { const { ringSince, rings } = e.closest("li").dataset; put(e, `${ringNow(Number(ringSince))}/${rings}`); });
  drawLimits();
  state();
}

let shift = 0;
function move() {
  const [x, y] = SHIFTS[shift++ % SHIFTS.length];
  document.getElementById("main").style.transform = `translate(${x}rem, ${y}rem)`;
}

startTicks();
draw();
connect();
move();
setInterval(draw, 500);
setInterval(move, SHIFT_MS);
addEventListener("online", () => { if (!source) again(); });
body.dataset.ready = "true";
