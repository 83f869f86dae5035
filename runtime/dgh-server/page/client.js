// Asks the API. What goes wrong is an Error with the words of the server.

export class Problem extends Error {
  constructor(status, told) {
    super([told.detail ?? told.message ?? "The server did not answer as expected.", told.hint].filter(Boolean).map(sentence).join(" "));
    this.status = status;
    this.code = told.code;
  }
}

// What the server says is part of a sentence; here it stands alone.
function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

export async function ask(method, path, body) {
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  // A button that is pressed twice makes one thing.
  if (method === "POST") headers["idempotency-key"] = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Problem(0, { detail: "The server cannot be reached." });
  }
  const told = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, told ?? {});
  return told;
}

// Every item of a list, page by page.
export async function all(path) {
  const items = [];
  let after = "";
  do {
    const page = await ask("GET", `${path}?limit=200${after}`);
    items.push(...page.items);
    after = page.next ? `&after=${encodeURIComponent(page.next)}` : "";
  } while (after);
  return items;
}

// An element with attributes and children; text is text.
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

// A form that asks, and shows what is wrong with what was typed.
export function onSubmit(form, work) {
  const problem = form.querySelector(".problem");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button[type=submit]");
    problem.hidden = true;
    button.disabled = true;
    try {
      await work(new FormData(form));
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
}
