// The status page stays true: what has changed is put in its place, line by line, so that nothing jumps, no selection is
// lost and a link keeps its focus. While the server is away the page says since when (live.js) and keeps what it showed.
import { toLogin } from "./net.js";

const EVERY_MS = 5000;
const box = document.getElementById("status");
let fetching = false;

const lines = (root) => new Map([...root.querySelectorAll("[data-line]")].map((one) => [one.dataset.line, one]));

function put(html) {
  const fresh = document.createElement("div");
  fresh.innerHTML = html;
  const shown = lines(box), wanted = lines(fresh);
  if ([...shown.keys()].join() !== [...wanted.keys()].join()) { box.replaceChildren(...fresh.childNodes); return; }
  for (const [key, line] of wanted) {
    const old = shown.get(key);
    if (old.outerHTML === line.outerHTML || old.contains(document.activeElement)) continue;
    old.className = line.className;
    old.replaceChildren(...line.childNodes);
  }
}

async function refresh() {
  if (fetching || document.hidden) return;
  fetching = true;
  const answer = await fetch("/status/lines", { credentials: "same-origin", cache: "no-store" }).catch(() => null);
  if (answer?.ok) put(await answer.text());
  if (answer?.status === 401) toLogin();
  fetching = false;
}

setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
document.addEventListener("live:up", refresh);
