// Elements from words. Everything becomes text: nothing from the catalogue or a chat is ever HTML.

// h("p.small", { id: "x", onclick: … }, "words", element, …)
export function h(name, ...parts) {
  const [tag, ...classes] = name.split(".");
  const el = document.createElement(tag);
  if (classes.length) el.className = classes.join(" ");
  for (const part of parts.flat(2)) {
    if (part === null || part === undefined || part === false) continue;
    if (part instanceof Node) el.append(part);
    else if (typeof part === "object") set(el, part);
    else el.append(String(part));
  }
  return el;
}

function set(el, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) el.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(el.dataset, value);
    else if (name === "value" || name === "checked" || name === "disabled" || name === "hidden") el[name] = value;
    else if (value !== null && value !== false && value !== undefined) el.setAttribute(name, value === true ? "" : value);
  }
}

// A table that a screen reader can walk, and a phone shows as cards.
// columns: [{ head, cell(row), number }]
export function table(caption, columns, rows, empty) {
  if (!rows.length) return h("p.empty", empty);
  const head = h("tr", columns.map((one) => h(one.number ? "th.number" : "th", { scope: "col" }, one.head)));
  const body = rows.map((row) =>
    h("tr", columns.map((one, i) => h(`${i ? "td" : "th"}${one.number ? ".number" : ""}`, { "data-head": one.head, scope: i ? null : "row" }, one.cell(row)))),
  );
  return h("div.scroll", { tabindex: "0", role: "region", "aria-label": caption },
    h("table", h("caption.sr-only", caption), h("thead", head), h("tbody", body)));
}

// "More" below a list, as long as there is more.
export function more(next, load) {
  return next === null ? null : h("button.more", { type: "button", onclick: () => load(next) }, "Show more");
}

export function card(title, ...parts) {
  return h("section.card", { "aria-label": title }, h("h2", title), ...parts);
}

export const button = (label, onclick, kind = "") =>
  h(kind ? `button.${kind}` : "button", { type: "button", onclick }, label);

export function select(label, choices, value, onchange) {
  const el = h("select", { onchange: () => onchange?.(el.value) }, choices.map(([key, text]) => h("option", { value: key }, text)));
  el.value = value;
  return h("label.field", h("span", label), el);
}

// A node such as chat:telegram:4f0a… is a pseudonym; its first digits tell it apart.
export function person(node) {
  if (node === null || node === "(none)") return h("span.unattributed", "Unattributed");
  const parts = node.split(":");
  if (parts.length < 2) return node;
  const last = parts.at(-1);
  const short = last.length > 10 ? `${last.slice(0, 8)}…` : last;
  return h("span.node", { title: node }, `${parts.slice(0, -1).join(" · ")} · `, h("code", short));
}

// The same where there is little room: the service and the first digits.
export function brief(node) {
  const parts = node.split(":");
  return parts.length < 3 ? node : `${parts.at(-2)} ${parts.at(-1).slice(0, 6)}`;
}

const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
export const when = (text) => (text ? h("time", { datetime: text }, moments.format(new Date(text))) : "–");
export const count = (number) => Number(number.toFixed(4)).toLocaleString();
export const plain = (word) => word.replaceAll("_", " ");

// Loads into a place, and says there what went wrong.
export async function fill(place, load) {
  place.setAttribute("aria-busy", "true");
  try {
    place.replaceChildren(...[await load()].flat(2).filter(Boolean));
  } catch (error) {
    place.replaceChildren(h("p.wrong", { role: "alert" }, error.message), button("Try again", () => fill(place, load)));
  } finally {
    place.removeAttribute("aria-busy");
  }
}
