// The supervisor's desk: fetches the board when a push says that something changed, and keeps the focus where it was.
import { hold } from "./clock.js";
import { drawLimits } from "./limits.js";
import { since } from "./live.js";
import { tick } from "./ticks.js";

const EVERY_MS = 5000; // for what changes without a push
const board = document.getElementById("board");
let fetching = false, more = false, shown = "";

function draw() { tick(); drawLimits(); }

async function fetchBoard() {
  if (fetching) { more = true; return; }
  fetching = true;
  do {
    more = false;
    const answer = await fetch(`/supervise/board${location.search}`, { credentials: "same-origin", cache: "no-store" }).catch(() => null);
    if (answer?.ok) show(await answer.text());
  } while (more);
  fetching = false;
}

function show(html) {
  if (html === shown) return;
  shown = html;
  const focus = board.contains(document.activeElement) ? document.activeElement.id : "";
  board.innerHTML = html; // rendered and escaped by our own server, as the page itself
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  draw();
}

for (const name of ["board", "hello", "desk", "ticket"]) document.addEventListener(`live:${name}`, fetchBoard);
setInterval(fetchBoard, EVERY_MS);
// Without the line a ring that was answered long ago would go on ringing here.
setInterval(() => { hold(document.body.classList.contains("is-cut") ? since() : null); drawLimits(); }, 1000);
draw();
