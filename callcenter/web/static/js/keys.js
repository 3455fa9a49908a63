// The keyboard. Letters act only while no field has the focus; the rest works everywhere. Listed on /help.
import { toDispatch } from "./clocks.js";
import { actions } from "./desk.js";

const typing = () => /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");

function row(step) {
  const rows = [...document.querySelectorAll("#list [data-row]")], at = rows.findIndex((one) => one.getAttribute("aria-selected") === "true");
  if (!rows.length) return;
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  rows.forEach((one) => one.setAttribute("aria-selected", String(one === next)));
  next.querySelector("a")?.focus();
  next.scrollIntoView({ block: "nearest" });
}

const LETTERS = {
  "/": () => {
    const field = document.getElementById("q") ?? document.getElementById("s");
    if (!field) { location.assign("/tickets#q"); return; }
    field.focus(); field.select();
  },
  "?": () => window.open("/help", "_blank", "noopener"),
  "j": () => row(1),
  "k": () => row(-1),
};
const ALT = { KeyP: actions.promise, KeyL: actions.leave, KeyN: actions.other, Digit1: () => actions.choose(0), Digit2: () => actions.choose(1), Digit3: () => actions.choose(2) };
const FUNCTION = { F6: actions.dial, F7: toDispatch, F8: actions.pause, F9: actions.record };

function command(event) {
  const control = event.ctrlKey || event.metaKey;
  if (control && event.key.toLowerCase() === "s") return actions.save;
  if (control && event.key === "Enter") return actions.close;
  if (event.altKey && !control) return ALT[event.code];
  if (control || event.altKey) return undefined;
  return FUNCTION[event.key] ?? (typing() ? undefined : LETTERS[event.key.toLowerCase()]);
}

export function start() {
  if (location.hash === "#q") LETTERS["/"](); // from a page without a search
  addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const what = command(event);
    if (what) { event.preventDefault(); what(); }
    if (event.key === "Escape" && typing() && !document.activeElement.matches("[type=search]:not(:placeholder-shown)")) document.activeElement.blur();
    if (event.key === "Escape") document.querySelectorAll("details.pull[open]").forEach((one) => { one.open = false; one.querySelector("summary").focus(); });
  });
  addEventListener("click", (event) => {
    document.querySelectorAll("details.pull[open]").forEach((one) => { if (!one.contains(event.target)) one.open = false; });
  });
}
