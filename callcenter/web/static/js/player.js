// The player of the review page: waveform of both sides, head, words running along. Draws SVG attributes only, because
// the policy allows no inline style; without sound the head still moves, so that words and findings can be walked.
import { send } from "./net.js";
import { say } from "./words.js";

const W = 690, TOP = 22, BOTTOM = 130, ROWS = { caller: 48, seat: 104, mix: 76 };
const box = document.getElementById("player"), svg = document.getElementById("wave"), sound = document.getElementById("sound");
const facts = box ? JSON.parse(box.dataset.player) : { marks: [], comments: [], tracks: [], seconds: 0 };
const words = [...document.querySelectorAll("#words .w")], starts = words.map((one) => Number(one.dataset.s));
const lines = [...document.querySelectorAll("#words .tx > li")], lineStarts = lines.map((one) => Number(one.dataset.s));
const byTime = words.map((_, n) => n).sort((a, b) => starts[a] - starts[b]), sortedStarts = byTime.map((n) => starts[n]);
let seconds = facts.seconds || 1, at = 0, head = null, bars = [], wanted = null, shownBar = -1;

const clock = (t) => { const s = Math.max(0, Math.floor(t)), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60, r = String(s % 60).padStart(2, "0"); return h ? `${h}:${String(m).padStart(2, "0")}:${r}` : `${m}:${r}`; };
const x = (t) => Math.max(0, Math.min(W, (t / seconds) * W));

function make(name, attributes, text) {
  const one = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  if (text !== undefined) one.textContent = text;
  svg.append(one);
  return one;
}

// ---- drawing ----
function draw(tracks) {
  svg.replaceChildren();
  bars = []; shownBar = -1;
  const shown = tracks.caller || tracks.seat ? ["caller", "seat"] : ["mix"];
  facts.stretches?.forEach(stretch);
  for (const track of shown) if (tracks[track]) row(track, tracks[track].bars);
  times();
  facts.marks.forEach(mark);
  facts.comments.forEach((moment) => make("path", { class: "cmk", d: `M${x(moment)} ${BOTTOM - 2}l4 6l-4 6l-4 -6z` }));
  head = [make("line", { class: "head", y1: 20, y2: 132 }), make("path", { class: "hd" })];
  show();
}

function row(track, heights) {
  const middle = ROWS[track], step = W / heights.length;
  make("line", { class: "mid", x1: 0, x2: W, y1: middle, y2: middle });
  heights.forEach((height, n) => {
    const size = Math.max(1.2, Math.sqrt(height / 100) * 46);
    bars.push([n * step, make("rect", { class: track === "caller" ? "c" : "s", x: (n * step).toFixed(1), y: (middle - size / 2).toFixed(1), width: Math.max(1, step - 1).toFixed(1), height: size.toFixed(1) })]);
  });
}

function times() {
  const step = [5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((one) => seconds / one <= 8) ?? 7200;
  for (let t = 0; t < seconds - step / 4; t += step) make("text", { x: x(t) + (t ? -10 : 0), y: 150 }, clock(t));
}

function stretch({ from, to, kind, label }) {
  const width = Math.max(2, x(to) - x(from));
  const one = make("rect", { class: kind, x: x(from), y: TOP, width, height: BOTTOM - TOP });
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = `${label} ${clock(from)}–${clock(to)}`;
  one.append(title);
  if (width > 44) make("text", { x: x(from) + 4, y: BOTTOM - 4 }, label);
}

function mark({ at: moment, sign, rule }, n) {
  const c = Math.max(9, Math.min(W - 9, x(moment))), near = facts.marks.some((one, m) => m > n && x(one.at) - x(moment) < 30 && x(one.at) >= x(moment));
  make("line", { class: "stem", x1: c, x2: c, y1: 18, y2: BOTTOM });
  if (sign === "ok") make("circle", { class: "ok", cx: c, cy: 9, r: 8 });
  if (sign === "ask") make("path", { class: "q", d: `M${c} 0l9 17h-18z` });
  if (sign === "bad") make("path", { class: "bad", d: `M${c - 4} 0h8l5 5v8l-5 5h-8l-5-5v-8z` });
  make("text", { class: sign === "ask" ? "gq" : "g", x: c, y: sign === "ask" ? 14 : 13, "text-anchor": "middle" }, { ok: "✓", ask: "?", bad: "!" }[sign]);
  if (!near) make("text", { x: c > W - 40 ? c - 12 : c + 12, y: 13, "text-anchor": c > W - 40 ? "end" : "start" }, rule);
}

// ---- where we are ----
function last(list, t) {
  let low = 0, high = list.length;
  while (low < high) { const middle = (low + high) >> 1; if (list[middle] <= t) low = middle + 1; else high = middle; }
  return low - 1;
}

let shownWord = null, shownLine = null;

// On a telephone the waveform is wider than the page: the head stays in view.
function follow() {
  const view = document.getElementById("wave-box"), here = (x(at) / W) * view.scrollWidth;
  if (here < view.scrollLeft + 12 || here > view.scrollLeft + view.clientWidth - 12) view.scrollLeft = here - view.clientWidth / 4;
}

function show() {
  const t = at + 0.02;
  document.getElementById("at")?.replaceChildren(clock(at));
  document.getElementById("c-at")?.replaceChildren(clock(at));
  if (head) {
    for (const name of ["x1", "x2"]) head[0].setAttribute(name, x(at));
    head[1].setAttribute("d", `M${x(at) - 5} 138h10l-5-8z`);
    const bar = Math.floor(x(at));
    if (bar !== shownBar) { shownBar = bar; for (const [left, one] of bars) one.classList.toggle("dim", left > bar); follow(); }
  }
  const n = last(sortedStarts, t), word = n >= 0 ? words[byTime[n]] : null;
  const now = word && t <= Number(word.dataset.e) + 0.25 ? word : null;
  if (now !== shownWord) { shownWord?.classList.remove("w--now"); now?.classList.add("w--now"); shownWord = now; }
  const m = last(lineStarts, t), line = now ? now.closest("li") : m >= 0 ? lines[m] : null;
  if (line !== shownLine) {
    shownLine?.classList.remove("is-now"); shownLine?.removeAttribute("aria-current");
    line?.classList.add("is-now"); line?.setAttribute("aria-current", "true");
    shownLine = line;
    line?.scrollIntoView({ block: "nearest" });
  }
}

function frame() {
  if (!sound || sound.paused) return;
  at = sound.currentTime;
  show();
  requestAnimationFrame(frame);
}

export const position = () => at;
export const length = () => seconds;

export function seek(t, { play = null } = {}) {
  at = Math.max(0, Math.min(seconds, t));
  if (sound) {
    if (sound.readyState > 0) sound.currentTime = at; else wanted = at;
    if (play) sound.play().catch(() => {});
  }
  show();
}

export function toggle() {
  if (!sound) return;
  if (sound.paused) { if (sound.ended) seek(0); sound.play().catch(() => {}); } else sound.pause();
}

// The next finding after the head, or the one before it; a finding that the head stands on is passed.
export function finding(step) {
  const list = facts.marks.map((one) => one.at);
  const next = step > 0 ? list.find((t) => t > at + 0.05) : list.findLast((t) => t < at - 0.05);
  if (next === undefined) return null;
  seek(next);
  return facts.marks.find((one) => one.at === next);
}

function heard(track) {
  const playing = !sound.paused, t = at, speed = sound.playbackRate;
  sound.src = `/review/${facts.id}/sound/${track}`;
  wanted = t;
  sound.addEventListener("loadedmetadata", () => { sound.playbackRate = speed; if (playing) sound.play().catch(() => {}); }, { once: true });
}

function button() {
  const play = document.getElementById("play");
  play.classList.toggle("is-playing", !sound.paused);
  play.setAttribute("aria-label", sound.paused ? play.dataset.play : play.dataset.pause);
}

async function waves() {
  const answer = await send("GET", `/review/${facts.id}/waves`, null, { seconds: 60 });
  const tracks = answer.data.tracks ?? {}, lengths = Object.values(tracks).map((one) => one.seconds);
  if (lengths.length) seconds = Math.max(...lengths);
  draw(tracks);
  if (answer.ok && !lengths.length) make("text", { x: W / 2, y: 80, "text-anchor": "middle" }, say("no_wave"));
  box.dataset.drawn = "true";
}

export function start() {
  document.addEventListener("click", (event) => {
    const word = event.target.closest("#words .w"), to = event.target.closest("[data-to]");
    if (word && !getSelection()?.toString()) seek(Number(word.dataset.s), { play: true });
    else if (to && Number.isFinite(Number(to.dataset.to))) seek(Number(to.dataset.to), { play: true });
  });
  if (box && sound) {
    draw({});
    svg.addEventListener("click", (event) => { const r = svg.getBoundingClientRect(); seek(((event.clientX - r.left) / r.width) * seconds); });
    sound.addEventListener("loadedmetadata", () => { if (wanted !== null) { sound.currentTime = wanted; wanted = null; } });
    sound.addEventListener("play", () => { button(); requestAnimationFrame(frame); });
    for (const name of ["pause", "ended"]) sound.addEventListener(name, button);
    document.getElementById("play").addEventListener("click", toggle);
    box.addEventListener("change", ({ target }) => {
      if (target.name === "speed") sound.playbackRate = Number(target.value);
      if (target.name === "track") heard(target.value);
    });
    waves();
  }
  const from = Number(new URLSearchParams(location.search).get("at") ?? NaN);
  if (Number.isFinite(from)) seek(from);
}
