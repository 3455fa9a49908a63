// Calling attention, by one tab only: title and icon show the ring, a notification if allowed, two quiet tones on a long
// hold; a screen reader is told in each tab. Never a name or a number; never a ring tone, the telephone has its own.
import { now } from "./clock.js";
import { isLeader } from "./leader.js";
import { ringNow } from "./ticks.js";
import { say } from "./words.js";

const title = document.title, icon = document.getElementById("icon"), still = icon?.getAttribute("href");
let shown = {}, popped = null, toned = 0, audio = null;

// Only a gesture of the person may open the loudspeaker; until then the page is silent.
addEventListener("pointerdown", () => { audio ??= new (window.AudioContext ?? Object)(); }, { once: true });

function tone(times) {
  if (!audio?.createOscillator) return;
  for (let n = 0; n < times; n++) {
    const at = audio.currentTime + n * 0.35, osc = audio.createOscillator(), gain = audio.createGain();
    gain.gain.setValueAtTime(0.12, at); gain.gain.exponentialRampToValueAtTime(0.001, at + 0.25); // -18 dBFS
    osc.frequency.value = 660; osc.connect(gain).connect(audio.destination);
    osc.start(at); osc.stop(at + 0.25);
  }
}

function notify() {
  if (!document.hidden || !("Notification" in window) || Notification.permission !== "granted") return;
  const note = new Notification(say("note_title"), { body: say("note_body"), tag: "callcenter-call" });
  note.onclick = () => { window.focus(); note.close(); };
  setTimeout(() => note.close(), 20000);
}

function tick() {
  const ringing = shown.state === "ringing" && shown.ringing_since;
  document.title = ringing && isLeader() ? say("title_ring", ringNow(shown.ringing_since)) : title;
  draw(ringing && isLeader() ? "/static/icon-ring.svg" : still);
  if (!shown.hold_since) { toned = 0; return; }
  const held = now() - shown.hold_since, due = held >= 60 ? 2 : held >= 45 ? 1 : 0;
  if (due > toned && isLeader() && held < 90) tone(due);
  toned = Math.max(toned, due);
}

function draw(href) {
  if (icon && icon.getAttribute("href") !== href) icon.setAttribute("href", href);
}

function tellReader(text) {
  const box = document.getElementById("said");
  if (box && box.textContent !== text) box.textContent = text;
}

export function signal(data) {
  shown = data;
  tellReader(data.pop ? say("pop_told") : "");
  if (data.pop && data.pop !== popped) {
    popped = data.pop;
    if (isLeader()) notify();
  }
  tick();
}

export function start() {
  setInterval(tick, 500);
  const button = document.getElementById("notices");
  if (!button || !("Notification" in window) || Notification.permission !== "default") return;
  button.hidden = false;
  button.addEventListener("click", async () => { await Notification.requestPermission(); button.hidden = true; });
}
