// Signing in, and accepting an invitation: its token stands behind the `#`, which no server and no log sees.

import { ask, onSubmit } from "/page/client.js";

const show = (id) => {
  for (const part of ["sign-in", "join", "gone"]) document.getElementById(part).hidden = part !== id;
};

// Only to a page of this server: `//elsewhere` is none.
function onward() {
  const next = new URLSearchParams(location.search).get("next") ?? "/account";
  location.replace(/^\/(?![/\\])/.test(next) ? next : "/account");
}

onSubmit(document.getElementById("sign-in"), async (form) => {
  await ask("POST", "/session", { email: form.get("email"), password: form.get("password") });
  onward();
});

async function join(token) {
  let invite;
  try {
    invite = await ask("POST", "/invites/look", { token });
  } catch {
    show("gone");
    return;
  }
  const form = document.getElementById("join");
  document.title = `Join ${invite.org}`;
  document.getElementById("join-title").textContent = `Join ${invite.org}`;
  document.getElementById("join-about").textContent = invite.account
    ? `You are invited as ${invite.role}. The password of your account accepts.`
    : `You are invited as ${invite.role}. Choose a password for your account.`;
  form.elements.email.value = invite.email;
  document.getElementById("join-name").hidden = invite.account;
  document.getElementById("join-hint").hidden = invite.account;
  form.elements.name.required = !invite.account;
  form.elements.password.autocomplete = invite.account ? "current-password" : "new-password";
  if (!invite.account) form.elements.password.minLength = 12;
  onSubmit(form, async (data) => {
    const body = { token, password: data.get("password") };
    if (!invite.account) body.name = data.get("name");
    await ask("POST", "/invites/accept", body);
    history.replaceState(null, "", "/login");
    onward();
  });
  show("join");
}

const token = new URLSearchParams(location.hash.slice(1)).get("invite");
if (token) join(token);
