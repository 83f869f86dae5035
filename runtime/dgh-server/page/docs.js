// The OpenAPI document, to read: each operation with what it takes and what it answers.

import { ask, make } from "/page/client.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const DEEPEST = 4;
let api;

const $ = (id) => document.getElementById(id);

function resolve(schema) {
  const name = schema?.$ref?.split("/").pop();
  return name ? { ...api.components.schemas[name], named: name } : schema ?? {};
}

// Text with `code` and **bold** in it.
function inline(text) {
  return (text ?? "").split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`")) return make("code", {}, part.slice(1, -1));
    return part.startsWith("**") ? make("b", {}, part.slice(2, -2)) : part;
  });
}

// A description, as paragraphs.
function prose(text) {
  return (text ?? "").split(/\n\n+/).filter(Boolean).map((paragraph) => make("p", {}, ...inline(paragraph)));
}

function typeOf(schema) {
  const { type, enum: words, items, format, oneOf, anyOf, allOf, named, minLength, maxLength, minimum, maximum } = resolve(schema);
  if (words) return words.map((word) => JSON.stringify(word)).join(" | ");
  if (oneOf || anyOf) return (oneOf ?? anyOf).map(typeOf).join(" | ");
  if (allOf) return named ?? "object";
  const kinds = [type].flat().filter(Boolean).map((kind) => (kind === "array" ? `list of ${typeOf(items)}` : kind === "object" && named ? named : kind));
  const range = (low, high, unit) => (low ?? high) === undefined ? "" : `, ${low ?? 0} to ${high ?? "∞"}${unit}`;
  const marks = range(minLength, maxLength, " characters") + range(minimum, maximum, "");
  return (kinds.join(" or ") || "anything") + (format && !/^u?int/.test(format) ? ` (${format})` : "") + marks;
}

function fields(schema, depth = 0) {
  const whole = resolve(schema);
  if (whole.type === "array" || [whole.type].flat().includes("array")) return fields(whole.items, depth);
  const parts = [whole, ...(whole.allOf ?? []).map(resolve)];
  const inner = whole.oneOf ?? whole.anyOf;
  if (inner) {
    const shown = inner.filter((one) => resolve(one).type !== "null").map((one) => fields(one, depth)).filter(Boolean);
    return shown.length ? make("div", {}, ...shown) : null;
  }
  const rows = parts.flatMap((part) => Object.entries(part.properties ?? {}).map(([name, field]) => make("li", {},
    make("code", {}, name), " ",
    make("span", { class: "type" }, typeOf(field) + (part.required?.includes(name) ? "" : ", optional")),
    ...prose(field.description ?? resolve(field).description),
    depth < DEEPEST ? fields(field, depth + 1) : null)));
  return rows.length ? make("ul", { class: "fields" }, ...rows) : null;
}

function body(title, content) {
  return Object.entries(content ?? {}).flatMap(([kind, { schema }]) => [
    make("h3", {}, kind === "application/json" ? title : `${title} · ${kind}`),
    fields(schema) ?? make("p", { class: "quiet" }, typeOf(schema)),
  ]);
}

function curl(method, path, operation) {
  const lines = [`curl ${location.origin}${path} \\`, `  -H "Authorization: Bearer $DGH_API_KEY"`];
  if (method !== "get") lines[0] = lines[0].replace("curl ", `curl -X ${method.toUpperCase()} `);
  const content = operation.requestBody?.content?.["application/json"];
  if (content) {
    const whole = resolve(content.schema);
    const example = Object.fromEntries((whole.required ?? []).map((name) => [name, sample(whole.properties[name])]));
    lines[1] += " \\";
    lines.push(`  --json '${JSON.stringify(example)}'`);
  }
  return lines.join("\n");
}

function sample(schema) {
  const { type, enum: words, items, minimum, default: usual } = resolve(schema);
  if (usual !== undefined) return usual;
  if (words) return words[0];
  const kind = [type].flat()[0];
  return { string: "…", integer: minimum ?? 1, number: minimum ?? 1, boolean: true, array: items ? [sample(items)] : [] }[kind] ?? {};
}

function who(operation) {
  const ways = operation.security ?? [];
  const needs = ways.flatMap((way) => Object.values(way)[0] ?? []);
  if (!needs.length) return "Open to everybody.";
  const [role, scope] = needs;
  const how = ways.some((way) => way.key) ? "A key or a session" : "A session";
  return `${how} with the role \`${role}\`${scope ? ` and the scope \`${scope}\`` : ""}.`;
}

function show(method, path, operation) {
  const [line, ...more] = (operation.summary ?? "").split("\n");
  const parameters = operation.parameters ?? [];
  const answers = Object.entries(operation.responses).filter(([status]) => status.startsWith("2"));
  const details = make("details", { class: "operation", id: operation.operationId },
    make("summary", {},
      make("span", { class: `method ${method}` }, method.toUpperCase()),
      make("code", {}, path),
      make("span", { class: "says" }, ...inline(line))));
  // What is inside is made when somebody looks.
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    details.append(
      ...prose([more.join("\n"), operation.description].filter(Boolean).join("\n\n")),
      ...prose(who(operation)),
      ...(parameters.length ? [make("h3", {}, "Parameters"), make("ul", { class: "fields" }, ...parameters.map((parameter) => make("li", {},
        make("code", {}, parameter.name), " ",
        make("span", { class: "type" }, `${parameter.in}, ${typeOf(parameter.schema)}${parameter.required ? "" : ", optional"}`),
        ...prose(parameter.description))))] : []),
      ...body("Body", operation.requestBody?.content),
      ...answers.flatMap(([status, answer]) => answer.content
        ? body(`Answer ${status}`, answer.content)
        : [make("h3", {}, `Answer ${status}`), ...prose(answer.description)]),
      make("h3", {}, "Try it"),
      make("pre", {}, curl(method, path, operation)));
  });
  return details;
}

async function start() {
  try {
    api = await ask("GET", "/openapi.json");
  } catch (error) {
    if (error.status === 401) return location.replace("/login?next=/docs");
    $("problem").textContent = error.message;
    $("problem").hidden = false;
    return;
  }
  const parts = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((method) => item[method])) {
      const tag = item[method].tags?.[0] ?? "other";
      if (!parts.has(tag)) parts.set(tag, []);
      parts.get(tag).push({ method, path, operation: item[method] });
    }
  }
  $("about").append(...prose(api.info.description));
  for (const [tag, operations] of [...parts].sort()) {
    $("toc").append(make("a", { href: `#part-${tag}` }, tag));
    const shown = operations.map(({ method, path, operation }) => show(method, path, operation));
    $("operations").append(make("section", { id: `part-${tag}` }, make("h2", {}, tag), ...shown));
  }
  $("find").addEventListener("input", () => {
    const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const section of $("operations").children) {
      let any = false;
      for (const operation of section.querySelectorAll("details")) {
        const text = operation.querySelector("summary").textContent.toLowerCase();
        operation.hidden = !words.every((word) => text.includes(word));
        any ||= !operation.hidden;
      }
      section.hidden = !any;
    }
  });
  document.querySelector("main").hidden = false;
  const wanted = document.getElementById(location.hash.slice(1));
  if (wanted?.tagName === "DETAILS") wanted.open = true;
  wanted?.scrollIntoView();
}

start();
