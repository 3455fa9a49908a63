// A ticket's clocks (D1, D2) and its dispatch (D3, D4): the server draws them, this asks for what a seat changes and for what others changed.
import { now } from "./clock.js";
import { send, toast } from "./net.js";
import { tick } from "./ticks.js";
import { hm, say } from "./words.js";

const box = () => document.getElementById("clocks"), dispatch = () => document.getElementById("dispatch");
const TYPED = ["clock-reason", "visit-time"];
const next = () => dispatch()?.querySelector(".dispatch__next input, .dispatch__next button");
const unfold = (open) => {
  document.getElementById("dispatch-rest").hidden = !open;
  document.getElementById("dispatch-more").setAttribute("aria-expanded", String(open));
};

export const toDispatch = () => next()?.focus();

async function redraw() {
  const old = box(), ticket = old?.dataset.clocks;
  if (!old) return;
  const answer = await fetch(`/tickets/${ticket}/clocks`, { credentials: "same-origin", cache: "no-store" }).catch(() => null);
  const html = answer?.ok ? await answer.text() : "";
  if (!html.trim() || box() !== old) return;
  const typed = TYPED.map((id) => document.getElementById(id)?.value ?? "");
  const ours = [old, dispatch()].some((one) => one?.contains(document.activeElement)), focus = ours ? document.activeElement.id : "";
  const template = document.createElement("template");
  template.innerHTML = html; // rendered and escaped by our own server, as the page itself
  const fresh = template.content.getElementById("clocks");
  if (old.open) fresh.open = true;
  const steps = template.content.getElementById("dispatch"), unfolded = !(document.getElementById("dispatch-rest")?.hidden ?? true);
  dispatch()?.remove();
  old.replaceWith(fresh, ...(steps ? [steps] : []));
  if (steps) unfold(unfolded);
  TYPED.forEach((id, n) => { const field = document.getElementById(id); if (field) field.value = typed[n]; });
  // A button that was pressed is gone with its step: the keyboard goes on at the next one.
  if (focus) (document.getElementById(focus) ?? next())?.focus({ preventScroll: true });
  tick();
}

async function change(what, value = "") {
  const answer = await send("POST", `/api/tickets/${box().dataset.clocks}/clocks`, { do: what, value });
  if (!answer.ok) toast(answer.data.error ?? say("not_saved", hm(now())), true);
  else if (what === "pause") document.getElementById("clock-reason").value = "";
  else if (what === "booked") document.getElementById("visit-time").value = "";
  await redraw();
}

const step = (what) => change(what, what === "booked" ? document.getElementById("visit-time").value : "");

export function start() {
  document.addEventListener("change", (event) => {
    const chosen = event.target.closest("select[data-clock]");
    if (chosen) change(chosen.dataset.clock, chosen.value);
  });
  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("button[data-clock]");
    if (pressed) change(pressed.dataset.clock, pressed.dataset.clock === "pause" ? document.getElementById("clock-reason").value : "");
    const made = event.target.closest("button[data-step]"), undone = event.target.closest("button[data-undo]");
    // The next step comes up where the last one was pressed: a double click and a held key make one step.
    if (event.target.closest("#dispatch-more")) unfold(document.getElementById("dispatch-rest").hidden);
    if (event.detail > 1) return;
    if (made) step(made.dataset.step);
    if (undone) change("take_back", undone.dataset.undo);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.id === "clock-reason") { event.preventDefault(); change("pause", event.target.value); }
    if (event.repeat && event.key === "Enter" && event.target.closest("#dispatch")) event.preventDefault();
    else if (event.key === "Enter" && !event.isComposing && event.target.id === "visit-time") { event.preventDefault(); step("booked"); }
  });
  document.addEventListener("live:ticket", (event) => { if (String(event.detail?.ticket) === box()?.dataset.clocks) redraw(); });
  document.addEventListener("live:hello", redraw);
  document.addEventListener("live:desk", redraw);
}
