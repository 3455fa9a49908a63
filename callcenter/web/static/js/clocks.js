// A ticket's clocks (D1, D2): the server draws them, this asks for what a seat changes and for what others changed.
import { now } from "./clock.js";
import { send, toast } from "./net.js";
import { tick } from "./ticks.js";
import { hm, say } from "./words.js";

const box = () => document.getElementById("clocks");

async function redraw() {
  const old = box(), ticket = old?.dataset.clocks;
  if (!old) return;
  const answer = await fetch(`/tickets/${ticket}/clocks`, { credentials: "same-origin", cache: "no-store" }).catch(() => null);
  const html = answer?.ok ? await answer.text() : "";
  if (!html.trim() || box() !== old) return;
  const typed = document.getElementById("clock-reason")?.value ?? "", focus = old.contains(document.activeElement) ? document.activeElement.id : "";
  const template = document.createElement("template");
  template.innerHTML = html; // rendered and escaped by our own server, as the page itself
  const fresh = template.content.getElementById("clocks");
  if (old.open) fresh.open = true;
  old.replaceWith(fresh);
  const reason = document.getElementById("clock-reason");
  if (reason) reason.value = typed;
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  tick();
}

async function change(what, value = "") {
  const answer = await send("POST", `/api/tickets/${box().dataset.clocks}/clocks`, { do: what, value });
  if (!answer.ok) toast(answer.data.error ?? say("not_saved", hm(now())), true);
  else if (what === "pause") document.getElementById("clock-reason").value = "";
  await redraw();
}

export function start() {
  document.addEventListener("change", (event) => {
    const chosen = event.target.closest("select[data-clock]");
    if (chosen) change(chosen.dataset.clock, chosen.value);
  });
  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("button[data-clock]");
    if (pressed) change(pressed.dataset.clock, pressed.dataset.clock === "pause" ? document.getElementById("clock-reason").value : "");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.id === "clock-reason") { event.preventDefault(); change("pause", event.target.value); }
  });
  document.addEventListener("live:ticket", (event) => { if (String(event.detail?.ticket) === box()?.dataset.clocks) redraw(); });
  document.addEventListener("live:hello", redraw);
  document.addEventListener("live:desk", redraw);
}
