// Keys, members, and oneself.

import { all, ask, make, onSubmit } from "/page/client.js";

const $ = (id) => document.getElementById(id);
const ROLES = ["viewer", "editor", "owner"];
let me;

function fail(error) {
  if (error.status === 401) return location.replace("/login");
  $("problem").textContent = error.message;
  $("problem").hidden = false;
}

// A button in a row that asks first, does its work, and shows what has become of it.
function action(text, question, work, again) {
  return make("button", {
    onclick: async () => {
      if (question && !confirm(question)) return;
      $("problem").hidden = true;
      try {
        await work();
      } catch (error) {
        fail(error);
      }
      await again();
    },
  }, text);
}

function day(time) {
  if (time == null) return "–";
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "–";
  const text = date.toLocaleDateString(undefined, { year: "numeric", month: "short", day: "numeric" });
  return make("time", { datetime: date.toISOString(), title: date.toLocaleString() }, text);
}

function ago(time) {
  if (time == null) return "never";
  const minutes = Math.round((Date.now() - time) / 60_000);
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (minutes < 60) return format.format(-minutes, "minute");
  return minutes < 60 * 48 ? format.format(-Math.round(minutes / 60), "hour") : format.format(-Math.round(minutes / 1440), "day");
}

// What is shown once: in a field, with a button that copies it.
function secret(about, text, testid) {
  const field = make("input", { readonly: true, value: text, "aria-label": about, "data-testid": testid, onfocus: () => field.select() });
  const copy = make("button", {
    onclick: async () => {
      field.select();
      try {
        await navigator.clipboard.writeText(text);
        copy.textContent = "Copied";
      } catch {
        copy.textContent = "Press Ctrl-C";
      }
    },
  }, "Copy");
  return make("div", { class: "secret" }, make("b", {}, about), make("div", { class: "row" }, field, copy));
}

function options(select, roles, chosen) {
  select.replaceChildren(...roles.map((role) => make("option", { value: role, selected: role === chosen }, role)));
  return select;
}

async function showKeys() {
  const rows = (await all("/api-keys")).map((key) => {
    const over = key.revoked_at ?? (key.expires_at && key.expires_at < Date.now() ? key.expires_at : null);
    const parts = key.scopes.length === me.known ? "everything" : key.scopes.join(", ");
    const revoke = () => action("Revoke", `Revoke “${key.name}”? What uses it stops working.`,
      () => ask("DELETE", `/api-keys/${key.id}`), showKeys);
    return make("tr", { class: over ? "off" : "" },
      make("td", {}, key.name),
      make("td", { class: "mono" }, `${key.prefix}…`),
      make("td", { title: parts }, `${key.role}, ${key.scopes.length === me.known ? "everything" : `${key.scopes.length} ${key.scopes.length === 1 ? "part" : "parts"}`}`),
      make("td", {}, ago(key.used_at)),
      make("td", {}, key.revoked_at ? "revoked" : day(key.expires_at)),
      make("td", {}, over ? "" : revoke()));
  });
  $("key-rows").replaceChildren(...rows);
}

async function showMembers() {
  const owner = me.role === "owner";
  const rows = (await all("/members")).map((member) => {
    const mine = member.user === me.user.id;
    const role = owner
      ? options(make("select", {
        "aria-label": `Role of ${member.name}`,
        onchange: async (event) => {
          $("problem").hidden = true;
          await ask("PATCH", `/members/${member.user}`, { role: event.target.value }).catch(fail);
          await start();
        },
      }), ROLES, member.role)
      : member.role;
    const question = mine ? "Leave this organisation?" : `Remove ${member.name}? The keys that they made are revoked.`;
    const remove = () => action(mine ? "Leave" : "Remove", question,
      () => ask("DELETE", `/members/${member.user}`), mine ? start : showMembers);
    return make("tr", {},
      make("td", {}, member.name, mine ? make("span", { class: "quiet" }, " (you)") : null),
      make("td", {}, member.email),
      make("td", {}, role),
      make("td", {}, owner || mine ? remove() : ""));
  });
  $("member-rows").replaceChildren(...rows);
  $("invite-card").hidden = !owner;
  if (owner) await showInvites();
}

async function showInvites() {
  const rows = (await all("/invites")).map((invite) => make("tr", {},
    make("td", {}, invite.email),
    make("td", {}, invite.role),
    make("td", {}, day(invite.expires_at)),
    make("td", {}, action("Take back", null, () => ask("DELETE", `/invites/${invite.id}`), showInvites))));
  $("invite-rows").replaceChildren(...rows);
  $("invites-card").hidden = rows.length === 0;
}

async function showYou() {
  $("profile").elements.name.value = me.user.name;
  $("profile").elements.email.value = me.user.email;
  const rows = (await all("/sessions")).map((place) => make("tr", {},
    make("td", { title: place.browser ?? "" }, browser(place.browser), place.current ? make("span", { class: "quiet" }, " (this one)") : null),
    make("td", {}, place.address ?? "–"),
    make("td", {}, ago(place.seen_at)),
    make("td", {}, place.current ? "" : action("Sign out", null, () => ask("DELETE", `/sessions/${place.id}`), showYou))));
  $("session-rows").replaceChildren(...rows);
}

// The part of a user agent that people know.
function browser(text) {
  const found = /(Firefox|Edg|OPR|Chrome|Version|curl)\/(\d+)/.exec(text?.replace(/Chrome\/\S+ Safari\/\S+ (Edg|OPR)/, "$1") ?? "");
  const names = { Edg: "Edge", OPR: "Opera", Version: "Safari" };
  return found ? `${names[found[1]] ?? found[1]} ${found[2]}` : text?.slice(0, 40) || "unknown";
}

const SECTIONS = { keys: showKeys, members: showMembers, you: showYou };

async function open(name) {
  for (const section of Object.keys(SECTIONS)) {
    $(section).hidden = section !== name;
    $(`tab-${section}`).setAttribute("aria-selected", String(section === name));
  }
  history.replaceState(null, "", `#${name}`);
  await SECTIONS[name]().catch(fail);
}

async function start() {
  try {
    me = await ask("GET", "/session");
  } catch (error) {
    return fail(error);
  }
  if (!me.user) return location.replace("/login");
  const owner = me.role === "owner";
  me.known = me.scopes.length;
  $("org").textContent = me.org.name;
  document.title = me.org.name;
  $("tab-keys").hidden = !owner;
  options($("new-key").elements.role, ROLES, "editor");
  options($("new-invite").elements.role, ROLES, "editor");
  $("scopes").replaceChildren(...me.scopes.map((scope) =>
    make("label", {}, make("input", { type: "checkbox", name: "scope", value: scope, checked: true }), scope)));
  document.querySelector("main").hidden = false;
  const wanted = location.hash.slice(1);
  await open(wanted in SECTIONS && (owner || wanted !== "keys") ? wanted : owner ? "keys" : "members");
}

for (const section of Object.keys(SECTIONS)) $(`tab-${section}`).addEventListener("click", () => open(section));

$("out").addEventListener("click", async (event) => {
  event.preventDefault();
  await ask("DELETE", "/session").catch(() => {});
  location.replace("/login");
});

onSubmit($("new-key"), async (form) => {
  const days = Number(form.get("days"));
  const scopes = form.getAll("scope");
  const body = { name: form.get("name"), role: form.get("role"), scopes };
  if (days) body.expires_at = Date.now() + days * 86_400_000;
  const made = await ask("POST", "/api-keys", body);
  $("made-key").replaceChildren(secret("Copy it now: it is not shown again.", made.key, "made-key"));
  $("new-key").elements.name.value = "";
  await showKeys();
});

onSubmit($("new-invite"), async (form) => {
  const made = await ask("POST", "/invites", { email: form.get("email"), role: form.get("role") });
  $("made-invite").replaceChildren(secret(`Send this to ${made.email}. It is good once, for a week.`, made.link, "made-link"));
  $("new-invite").elements.email.value = "";
  await showInvites();
});

onSubmit($("profile"), async (form) => {
  const body = { name: form.get("name") };
  if (form.get("email") !== me.user.email) Object.assign(body, { email: form.get("email"), password: form.get("password") });
  const user = await ask("PATCH", "/user", body);
  Object.assign(me.user, { name: user.name, email: user.email });
  $("profile").elements.password.value = "";
});

onSubmit($("password"), async (form) => {
  const done = $("password").querySelector(".done");
  done.hidden = true;
  await ask("PUT", "/user/password", { current: form.get("current"), new: form.get("new") });
  $("password").reset();
  done.hidden = false;
  await showYou();
});

start();
