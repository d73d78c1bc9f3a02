// An order's page: it asks our own server how the order stands, and decides nothing by itself.
const $ = (id) => document.getElementById(id);
const address = `${location.pathname.replace(/\/$/, "")}/status`;
const MARKS = { waiting: "M12 4a8 8 0 108 8", paid: "M5 13l5 5 9-11", over: "M7 7l10 10M17 7L7 17" };
const FAST_MS = 700, SLOW_MS = 5000, EAGER_MS = 60000;
const began = Date.now();

const element = (tag, className, text) => {
  const el = document.createElement(tag);
  if (className) el.className = className;
  if (text !== undefined) el.textContent = text;
  return el;
};

function say(state, title, lead) {
  $("main").dataset.state = state;
  $("mark").setAttribute("d", MARKS[state]);
  $("title").textContent = title;
  $("lead").textContent = lead;
  document.title = title;
}

function sum(label, text, className) {
  const row = element("div", className);
  row.append(element("span", "", label), element("span", "num", text));
  return row;
}

function draw(order) {
  $("test").hidden = !order.is_test;
  $("ids").textContent = `Order number ${order.order.replace("order_", "")}`;
  $("lines").replaceChildren(...order.lines.map((line) => {
    const row = element("li");
    row.append(element("b", "", `${line.quantity} × ${line.title}`), element("span", "num", line.net.text));
    if (line.mechanism !== "list") row.append(element("span", "why", line.reason));
    return row;
  }));
  const sums = [];
  if (order.shipping.minor) sums.push(sum("Shipping", order.shipping.text));
  if (order.tax.minor) sums.push(sum("Tax", order.tax.text));
  sums.push(sum("Total", order.total.text, "total"));
  if (order.refunded.minor) sums.push(sum("Given back", `−${order.refunded.text}`));
  $("sums").replaceChildren(...sums);
  $("bill").hidden = false;
  $("chat").hidden = !(order.from_chat && order.status === "paid");
  $("chat-words").textContent = `/order ${order.order.replace("order_", "")}`;
  $("pay").hidden = order.status !== "open" || !order.page_url;
  if (order.page_url) $("pay").href = order.page_url;
}

function tell(order) {
  const back = order.refunded.minor;
  if (order.status === "paid" && back && back >= order.total.minor) say("over", "Given back", order.note || "The whole amount goes back to you.");
  else if (order.status === "paid") say("paid", "Thank you – it is paid", order.note || "Your order is on its way to the seller.");
  else if (order.status === "processing") say("waiting", "Your bank is at work", "The goods are kept for you until the money has arrived.");
  else if (order.status === "returned") say("over", "We are sorry", order.note);
  else if (order.status === "released") say("over", "Not paid", order.note ? `${order.note[0].toUpperCase()}${order.note.slice(1)}. Nothing was charged.` : "Nothing was charged.");
  else say("waiting", "Waiting for the payment", `The goods are kept for you until ${time(order.expires_at)}.`);
}

const time = (text) => new Date(text).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

// Only what is final ends the asking: a payment may arrive after this page was opened.
async function look() {
  let wait = Date.now() - began < EAGER_MS ? FAST_MS : SLOW_MS;
  try {
    const answer = await fetch(address);
    if (answer.status === 404) return say("over", "No such order", "Look at the address of this page.");
    if (answer.ok) {
      const order = await answer.json();
      draw(order);
      tell(order);
      if (order.status === "paid" || order.status === "returned") wait = SLOW_MS;
    }
  } catch {
    wait = SLOW_MS;
  }
  setTimeout(look, wait);
}

look();
