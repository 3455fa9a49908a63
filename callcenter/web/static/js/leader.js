// One tab of many speaks: title, notification and tones come from the leader alone; all tabs show the call.
// Web Locks where the browser has them (https and this machine), else a lease in localStorage.
import { who } from "./words.js";

const KEY = `cc:leader:${who}`, LEASE_MS = 3000;
const me = String(Math.random()).slice(2);
let leading = false;

function lease() {
  const [holder, until] = (localStorage.getItem(KEY) ?? "").split(" ");
  leading = holder === me || !(Number(until) > Date.now());
  if (leading) localStorage.setItem(KEY, `${me} ${Date.now() + LEASE_MS}`);
}

export const isLeader = () => leading;

export function start() {
  if (navigator.locks) {
    navigator.locks.request(KEY, () => { leading = true; return new Promise(() => {}); }).catch(() => {});
    return;
  }
  lease();
  setInterval(lease, LEASE_MS / 3);
}
