// The page's words in its language, from the server; "%s" marks take values in order.
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
const words = JSON.parse(meta("page-words") || "{}");

export const csrf = meta("csrf-token");
export const who = meta("who");
export const cadence = meta("cadence").split(" ").map(Number);
export const serverNow = Number(meta("server-now"));

export function say(key, ...values) {
  let n = 0;
  return (words[key] ?? key).replace(/%s/g, () => String(values[n++] ?? ""));
}

// "14:33:05"; the desk and its telephones stand in one time zone, the browser's.
export const clockTime = (ms) => new Date(ms).toTimeString().slice(0, 8);
