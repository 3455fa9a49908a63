// The page of callbacks: fetches the list when a push says that something changed; calls, claims and closes.
import { now } from "./clock.js";
import { drawLimits } from "./limits.js";
import { send, toast, toLogin } from "./net.js";
import { tick } from "./ticks.js";
import { hm, say } from "./words.js";

const EVERY_MS = 5000; // for what changes without a push: a claim that ran out
const list = document.getElementById("callbacks"), dialog = document.getElementById("cb-dialog"), reason = document.getElementById("cb-reason");
let fetching = false, more = false, shown = "", closing = "";

async function fetchList() {
  if (fetching) { more = true; return; }
  fetching = true;
  do {
    more = false;
    const answer = await fetch("/callbacks/list", { credentials: "same-origin", cache: "no-store" }).catch(() => null);
    if (answer?.ok) show(await answer.text());
    if (answer?.status === 401) toLogin();
  } while (more);
  fetching = false;
}

function show(html) {
  if (html === shown) return;
  shown = html;
  const focus = list.contains(document.activeElement) ? document.activeElement.id : "";
  list.innerHTML = html; // rendered and escaped by our own server, as the page itself
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  tick(); drawLimits();
}

async function act(id, what, body, button) {
  button.setAttribute("aria-busy", "true");
  const answer = await send("POST", `/api/callbacks/${id}/${what}`, body);
  button.removeAttribute("aria-busy");
  if (!answer.ok) toast(answer.data.error ?? say("not_saved", hm(now())), true);
  await fetchList();
  return answer.ok;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button"), id = button?.closest("[data-callback]")?.dataset.callback;
  if (!button) return;
  if (id && button.dataset.do) act(id, button.dataset.do, {}, button);
  if (id && "close" in button.dataset) {
    closing = id;
    dialog.querySelector("[data-number]").textContent = button.dataset.close;
    dialog.showModal();
    reason.focus();
  }
  if ("closeIt" in button.dataset && reason.reportValidity() && await act(closing, "close", { reason: reason.value }, button)) {
    reason.value = "";
    dialog.close();
  }
});

for (const name of ["board", "hello", "desk", "ticket"]) document.addEventListener(`live:${name}`, fetchList);
setInterval(fetchList, EVERY_MS);
setInterval(drawLimits, 1000);
tick(); drawLimits();
