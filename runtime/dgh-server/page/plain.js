// Values as people read them: what the server shows of lists and records is JSON.

// Entries of a list that are shown.
const ENTRIES = 12;

// A value in plain words: a text, or a list of texts.
export function plain(shown) {
  const value = parsed(shown);
  if (Array.isArray(value)) {
    const lines = value.slice(0, ENTRIES).map(words);
    if (value.length > ENTRIES) lines.push(`and ${value.length - ENTRIES} more`);
    return lines.length ? lines : "none";
  }
  return value === null ? shown : words(value);
}

function parsed(shown) {
  if (!/^[[{]/.test(shown)) return null;
  try {
    const value = JSON.parse(shown);
    return typeof value === "object" ? value : null;
  } catch {
    // `[callback]` stands for a value that is private.
    return null;
  }
}

function words(value) {
  if (value === null) return "none";
  if (Array.isArray(value)) return value.map(words).join(", ");
  if (typeof value === "object") {
    return Object.entries(value).map(([name, part]) => `${name.replaceAll("_", " ")} ${words(part)}`).join(" · ");
  }
  if (typeof value === "boolean") return value ? "yes" : "no";
  return moment(String(value));
}

// 2026-03-02T09:00:00 is 2026-03-02 09:00.
function moment(text) {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?$/.exec(text) ?? [];
  return day ? `${day} ${time}` : text;
}
