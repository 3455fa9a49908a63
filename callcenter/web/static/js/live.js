// The line to the server: one EventSource, our own reconnecting (jittered, so that a hundred desks do not come back in
// the same instant), a watchdog for lines that died in silence. Every connection begins with the whole state.
import { goesOn, heard } from "./clock.js";
import { clockTime, say } from "./words.js";

const SILENCE_MS = 25000, LONGEST_MS = 8000;
let source = null, tries = 0, lastHeard = 0, downSince = 0, timer = 0, ended = false;

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`live:${name}`, { detail }));

function banner() {
  const box = document.getElementById("offline"), show = downSince > 0 && Date.now() - downSince > 1500;
  if (!box) return;
  if (show) box.querySelector("[data-words]").textContent = say("offline_now", clockTime(since()));
  box.hidden = !show;
  document.body.classList.toggle("is-cut", show);
}

function up() {
  tries = 0; lastHeard = Date.now();
  if (downSince) { downSince = 0; banner(); tell("up"); }
}

function lost() {
  source?.close(); source = null;
  if (ended) return;
  downSince ||= Date.now();
  const wait = Math.min(LONGEST_MS, 300 * 2 ** tries++) * (0.5 + Math.random());
  clearTimeout(timer);
  timer = setTimeout(connect, wait);
  banner();
  if (tries > 1) stillIn();
}

// An EventSource does not tell why it failed: after a night the session may be what is over, and not the line.
async function stillIn() {
  const answer = await fetch("/desk/fragments", { credentials: "same-origin", cache: "no-store" }).catch(() => null);
  if (answer?.status === 401) over("ended");
}

function over(reason) {
  if (ended) return;
  ended = true; clearTimeout(timer); source?.close(); tell("bye", reason);
}

function on(name, what) {
  source.addEventListener(name, (event) => {
    const data = JSON.parse(event.data);
    if (data.now) heard(data.now);
    up();
    what?.(data);
  });
}

function connect() {
  clearTimeout(timer);
  source?.close();
  const watch = document.body.dataset.watch;
  source = new EventSource(watch ? `/live?ticket=${watch}` : "/live");
  lastHeard = Date.now();
  source.onerror = lost;
  on("hello", (data) => tell("hello", data));
  on("desk", (data) => tell("desk", data));
  on("board", () => tell("board"));
  on("ticket", (data) => tell("ticket", data));
  on("heard", () => tell("heard"));
  on("alarm", () => tell("alarm"));
  on("beat");
  on("bye", ({ reason }) => {
    if (reason === "stopping") { lost(); return; }
    over(reason);
  });
}

// Since when the line is down, by the server's clock (epoch seconds); 0 while it is up.
export const since = () => downSince && goesOn() - (Date.now() - downSince) / 1000;

export function start() {
  connect();
  setInterval(() => { if (source && Date.now() - lastHeard > SILENCE_MS) lost(); banner(); }, 1000);
  addEventListener("online", () => { if (!source && !ended) connect(); });
  addEventListener("pagehide", () => { ended = true; source?.close(); });
  addEventListener("pageshow", (event) => { if (event.persisted) { ended = false; connect(); } });
}
