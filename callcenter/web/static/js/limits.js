// What is due or over: the same rule on the big screen and on the supervisor's desk.
import { now } from "./clock.js";
import { say } from "./words.js";

const RISK_SECONDS = 600;
export const put = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };
export const each = (selector, what) => document.querySelectorAll(selector).forEach(what);
const mark = (element, due, over) => { element.classList.toggle("is-over", over); element.classList.toggle("is-due", due && !over); };

export function drawLimits() {
  each(".ramp[data-since]", (e) => {
    const gone = now() - Number(e.dataset.since);
    mark(e, gone >= Number(e.dataset.due), gone >= Number(e.dataset.over ?? Infinity));
  });
  each(".due[data-due]", (e) => {
    const rest = Number(e.dataset.due) - now(), minutes = rest < 0 ? Math.ceil(-rest / 60) : Math.floor(rest / 60);
    mark(e, rest < RISK_SECONDS, rest < 0);
    const span = "fine" in e.dataset && Math.abs(rest) < 180 ? say("seconds", rest < 0 ? Math.ceil(-rest) : Math.floor(rest)) : minutes < 120 ? say("minutes", minutes) : say("hours", Math.floor(minutes / 60), minutes % 60);
    put(e.querySelector("[data-words]"), say(rest < 0 ? "over" : "left", span));
  });
}
