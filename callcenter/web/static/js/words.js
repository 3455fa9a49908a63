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

// Clock times are the site's, wherever the browser thinks it is. Instants are epoch seconds.
const parts = { hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" };
const site = new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: meta("zone") || undefined });
const split = (at) => Object.fromEntries(site.formatToParts(at * 1000).map(({ type, value }) => [type, value]));

export const clockTime = (at) => { const p = split(at); return `${p.hour}:${p.minute}:${p.second}`; };
export const hm = (at) => clockTime(at).slice(0, 5);
export const date = (at) => { const p = split(at); return `${p.year}-${p.month}-${p.day}`; };

// "15:00" today, "11-27 09:30" on another day, with the year where it is not this one; as text.day_of does.
export function dayTime(at, now) {
  const then = date(at), today = date(now), same = then.slice(0, 4) === today.slice(0, 4);
  return then === today ? hm(at) : `${same ? then.slice(5) : then} ${hm(at)}`;
}
