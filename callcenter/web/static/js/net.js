// Requests to our own server. An answer is {ok, status, data}; status 0 means that no answer came.
import { csrf } from "./words.js";

export async function send(method, path, body, { keepalive = false, seconds = 10 } = {}) {
  const stop = new AbortController(), timer = setTimeout(() => stop.abort(), seconds * 1000);
  try {
    const answer = await fetch(path, {
      method, keepalive, signal: stop.signal, credentials: "same-origin", cache: "no-store",
      headers: { "Accept": "application/json", "X-CSRF-Token": csrf, ...(body ? { "Content-Type": "application/json" } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    });
    const data = await answer.json().catch(() => ({}));
    return { ok: answer.ok, status: answer.status, data };
  } catch {
    return { ok: false, status: 0, data: {} };
  } finally {
    clearTimeout(timer);
  }
}

// The session has ended: log in, and come back to this page.
export const toLogin = () => location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);

export function toast(text, bad = false) {
  const box = document.createElement("div");
  box.className = bad ? "toast toast--bad" : "toast";
  box.setAttribute("role", bad ? "alert" : "status");
  box.textContent = text;
  const all = document.getElementById("toasts");
  [...all?.children ?? []].find((one) => one.textContent === text)?.remove(); // said again, not twice
  all?.append(box);
  setTimeout(() => box.remove(), bad ? 15000 : 4000);
  return box;
}
