// The server's time, as well as this page can know it. A message can only arrive late, so the greatest offset seen is
// the nearest to the truth; it fades, because clocks drift.
import { serverNow } from "./words.js";

let offset = serverNow - performance.now() / 1000;

export function heard(now) {
  const seen = now - performance.now() / 1000;
  offset = Math.max(seen, offset - 0.005);
}

let held = null;

// While nobody tells what is true, nothing on the page may count on: time stands at this instant; null: it goes on.
export function hold(at) { held = at; }

export const goesOn = () => offset + performance.now() / 1000;
export const now = () => held ?? goesOn();
