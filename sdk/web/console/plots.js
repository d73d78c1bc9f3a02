// Two small plots of our own: bars by key, and a line over days. Their figures stand in a table too.
const NS = "http://www.w3.org/2000/svg";

function s(tag, attributes, ...children) {
  const el = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, value);
  el.append(...children.filter((one) => one !== null));
  return el;
}

const clip = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

// rows: [{ label, value, text, muted }], largest first.
export function bars(title, rows) {
  const isNarrow = matchMedia("(max-width: 819px)").matches;
  const [width, line, left] = isNarrow ? [350, 34, 128] : [640, 34, 190];
  const most = Math.max(1, ...rows.map((row) => row.value));
  const marks = rows.map((row, i) => {
    const y = i * line + 6;
    const length = Math.max(2, (row.value / most) * (width - left - 90));
    return s("g", { class: row.muted ? "bar muted" : "bar" },
      s("title", {}, `${row.label}: ${row.text}`),
      s("text", { x: left - 10, y: y + 15, "text-anchor": "end", class: "label" }, clip(row.label, isNarrow ? 16 : 25)),
      s("rect", { x: left, y, width: length, height: 22, rx: 5 }),
      s("text", { x: left + length + 8, y: y + 15, class: "value" }, row.text));
  });
  return picture(title, rows, width, rows.length * line + 8, marks);
}

// points: [{ day: "2026-05-01", value, text }], one for each day, oldest first.
export function line(title, points, topText) {
  const isNarrow = matchMedia("(max-width: 819px)").matches;
  const [width, height, left, right, top, bottom] = [isNarrow ? 350 : 640, 230, 14, 14, 30, 30];
  const most = Math.max(1, ...points.map((p) => p.value));
  const x = (i) => (points.length < 2 ? width / 2 : left + (i * (width - left - right)) / (points.length - 1));
  const y = (value) => height - bottom - (value / most) * (height - top - bottom);
  const path = points.map((p, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(p.value).toFixed(1)}`).join("");
  const ground = height - bottom;
  const area = points.length > 1 ? `${path}L${x(points.length - 1)} ${ground}L${x(0)} ${ground}Z` : "";
  const [ticks, last] = [isNarrow ? 3 : 5, points.length - 1];
  const named = new Set(Array.from({ length: ticks + 1 }, (_, i) => Math.round((i * last) / ticks)));
  const marks = [
    s("line", { x1: left, x2: width - right, y1: ground, y2: ground, class: "axis" }),
    s("line", { x1: left, x2: width - right, y1: y(most), y2: y(most), class: "grid" }),
    s("text", { x: left, y: y(most) - 8, class: "tick" }, topText),
    s("path", { d: area, class: "area" }),
    s("path", { d: path, class: "line" }),
    ...points.map((p, i) => s("g", { class: p.value ? "dot" : "dot none" }, s("title", {}, `${p.day}: ${p.text}`),
      s("circle", { cx: x(i), cy: y(p.value), r: points.length > 60 ? 2.5 : 4 }))),
    ...points.map((p, i) => (named.has(i) ? s("text", { x: x(i), y: height - 8, class: "tick", "text-anchor": !last || (i && i < last) ? "middle" : i ? "end" : "start" }, short(p.day)) : null)),
  ];
  return picture(title, points, width, height, marks);
}

const days = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const short = (day) => days.format(new Date(`${day}T00:00:00Z`));

function picture(title, rows, width, height, marks) {
  const said = rows.filter((row) => row.value).slice(0, 12).map((row) => `${row.label ?? row.day} ${row.text}`).join(", ");
  return s("svg", { viewBox: `0 0 ${width} ${height}`, class: "plot", role: "img", "aria-label": `${title}: ${said || "nothing yet"}` }, ...marks.filter(Boolean));
}
