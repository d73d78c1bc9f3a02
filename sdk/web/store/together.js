// A group order or a bargain as anybody may see it. Numbers and deadline come from the till's row;
// this page counts seconds and nothing else.
const $ = (id) => document.getElementById(id);
const kind = location.pathname.replace(/\/$/, "").split("/").at(-2);
const address = location.pathname.replace(/\/$/, "");
const JSON_ONLY = { Accept: "application/json" };
const LOOK_MS = 5000, MOST_SEATS = 20;
let state = null, skew = 0, isBusy = false, helped = "";

const element = (tag, className, text) => {
  const el = document.createElement(tag);
  if (className) el.className = className;
  if (text !== undefined) el.textContent = text;
  return el;
};
const people = (number) => (number === 1 ? "1 buyer" : `${number} buyers`);
const friends = (number) => (number === 1 ? "1 friend" : `${number} friends`);
const secondsLeft = () => Math.max(0, Math.floor((Date.parse(state.deadline) - Date.now() - skew) / 1000));
const isOver = () => secondsLeft() === 0 || (kind === "group" && ["settled", "failed"].includes(state.state));

function span(seconds) {
  const pad = (n) => String(n).padStart(2, "0");
  const clock = `${pad(Math.floor(seconds / 3600) % 24)}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
  const days = Math.floor(seconds / 86400);
  return days ? `${days} ${days === 1 ? "day" : "days"} ${clock}` : clock;
}

function drawPicture(product) {
  if ($("picture").firstChild) return;
  const letter = () => $("picture").replaceChildren(element("span", "", [...(product?.title ?? "?")][0]));
  if (!product?.image) return letter();
  const image = element("img");
  image.alt = "";
  image.addEventListener("error", letter, { once: true });
  image.src = `..${product.image}`;
  $("picture").replaceChildren(image);
}

function drawSeats(taken, wanted) {
  if (wanted > MOST_SEATS) {
    const bar = element("div", "bar"), fill = element("span");
    fill.style.width = `${Math.min(100, (100 * taken) / wanted)}%`;
    bar.append(fill);
    return $("seats").replaceChildren(bar);
  }
  const seats = Array.from({ length: Math.max(taken, wanted) }, (_, n) => element("i", n < taken ? "taken" : ""));
  $("seats").replaceChildren(...seats.slice(0, MOST_SEATS));
}

function step(text, detail, price, className) {
  const row = element("li", className), words = element("span", "", text);
  if (detail) words.append(element("small", "", detail));
  row.append(words, element("span", "num", price));
  return row;
}

function drawGroup() {
  const missing = Math.max(0, state.target - state.joined);
  const reached = state.ladder.filter((one) => one.people <= state.joined).at(-1);
  $("kind").textContent = "Group order";
  $("price").textContent = (state.final_price ?? reached?.price ?? state.price).text;
  $("per").textContent = state.final_price ? "each, in the end" : reached ? "each, as it stands" : `each, once ${state.target} have paid`;
  drawSeats(state.joined, state.target);
  $("joined").textContent = missing
    ? `${state.joined} of ${state.target} have paid – ${missing} more needed`
    : `${people(state.joined)} paid – the group price is reached`;
  $("steps-title").textContent = "The more, the cheaper for everybody";
  $("ladder").replaceChildren(...state.ladder.map((one) =>
    step(`From ${people(one.people)}`, one === reached ? "where it stands now" : "", one.price.text,
      `${one.people <= state.joined ? "reached" : ""} ${one === reached ? "now" : ""}`)));
  $("fair").hidden = true;
  $("honest").textContent = "Only buyers who paid are counted. Nobody is named, nobody is made up.";
  const ended = { settled: "It came together: buyers got the price above.", failed: "Too few had paid in time. Everybody got everything back." };
  $("terms").textContent = isOver()
    ? ended[state.state] ?? "The time is over; the till is settling it."
    : `You pay ${state.price.text} now. If more join, the difference comes back to you at the end; if fewer than ${state.target} have paid by then, all of it does.`;
  button(isOver() ? "" : `Join for ${state.price.text}`, join);
}

function drawBargain() {
  const missing = state.helps_needed - state.helps;
  $("kind").textContent = state.is_yours ? "Your bargain" : "A friend's bargain";
  $("price").textContent = state.price.text;
  $("per").textContent = missing ? `now; ${state.floor.text} at the lowest` : "the lowest it gets";
  drawSeats(state.helps, state.helps_needed);
  $("joined").textContent = missing
    ? `${friends(state.helps)} helped – ${missing} more bring it to ${state.floor.text}`
    : `All ${friends(state.helps)} helped`;
  $("steps-title").textContent = "What friends took off";
  $("ladder").replaceChildren(
    step("It began at", "", state.start.text, "reached"),
    ...state.cuts.map((cut, n) => step(`Friend ${n + 1}`, "", `−${cut.text}`, "reached")),
    step("It stands at", "", state.price.text, "now"),
  );
  $("fair").textContent = state.seed
    ? `Every cut follows from this seed, whose SHA-256 was told before the first: ${state.seed}`
    : `Every cut was fixed before the first friend came. Sealed as SHA-256 ${state.commitment}; the seed is told at the end.`;
  $("terms").textContent = helped || (state.is_yours
    ? "Share the link: every friend takes something off, once. You may buy at any moment before the end."
    : "Your help costs you nothing and needs no name. Each friend helps once.");
  if (isOver()) button("", null);
  else if (state.is_yours) button(`Buy for ${state.price.text}`, buyBargained);
  else button(missing && !helped ? "Help: take something off" : "", help);
}

function button(text, press) {
  $("go").hidden = !text;
  $("go").textContent = text;
  $("go").onclick = () => act(press);
  $("go").disabled = isBusy;
}

function draw() {
  const { product } = state;
  $("main").removeAttribute("aria-busy");
  $("test").hidden = !state.is_test;
  $("title").textContent = product?.title ?? "No longer on sale";
  document.title = `${product?.title ?? "Buy together"} – ${kind === "group" ? "group order" : "bargain"}`;
  $("about").textContent = [product?.variant, product?.description].filter(Boolean).join(" · ");
  drawPicture(product);
  (kind === "group" ? drawGroup : drawBargain)();
  const former = kind === "group" ? product?.list_price : state.start;
  $("former").hidden = !former || former.text === $("price").textContent;
  $("former").textContent = former?.text ?? "";
  $("until").textContent = `(${new Date(state.deadline).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })})`;
  $("offer").hidden = $("steps").hidden = false;
  tick();
}

function tick() {
  if (!state) return;
  const left = secondsLeft();
  $("clock-label").textContent = isOver() ? "Ended" : "Ends in";
  $("clock").textContent = isOver() ? "" : span(left);
  if (left === 0 && !$("go").hidden) draw();
}

function complain(text) {
  $("wrong").hidden = !text;
  $("wrong").textContent = text;
}

async function act(press) {
  if (isBusy) return;
  isBusy = $("go").disabled = true;
  complain("");
  try {
    await press();
  } catch (error) {
    complain(error instanceof TypeError ? "No connection. Try again." : error.message);
  }
  isBusy = $("go").disabled = false;
}

async function post(path, body) {
  const headers = { ...JSON_ONLY, "Content-Type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const found = await answer.json();
  if (!answer.ok) throw new Error(`${found.detail[0].toUpperCase()}${found.detail.slice(1)}.`);
  return found;
}

const buy = async (terms) => location.assign((await post("../checkout", { lines: [{ sku: state.sku, quantity: 1 }], ...terms })).url);
const join = () => buy({ group: state.group });
const buyBargained = () => buy({ bargain: state.bargain });

async function help() {
  const found = await post(`${address}/help`, {});
  state = found;
  helped = `Thank you: you took ${found.cut.text} off.`;
  draw();
}

$("share").addEventListener("click", async () => {
  const link = location.href.split(/[?#]/)[0];
  try {
    if (navigator.share) return await navigator.share({ title: document.title, url: link });
    await navigator.clipboard.writeText(link);
    $("share").textContent = "The link is copied";
  } catch (error) {
    if (error.name !== "AbortError") $("share").textContent = link;
  }
});

async function look() {
  try {
    const answer = await fetch(address, { headers: JSON_ONLY, cache: "no-store" });
    if (answer.status === 404 || answer.status === 422) {
      $("kind").textContent = "";
      $("title").textContent = "There is nothing here";
      $("about").textContent = "Look at the address of this page.";
      $("picture").hidden = true;
      return;
    }
    if (answer.ok && !isBusy) {
      state = await answer.json();
      skew = Date.parse(state.now) - Date.now();
      draw();
    }
  } catch {
    // The next look may find it.
  }
  setTimeout(look, LOOK_MS);
}

look();
setInterval(tick, 250);
addEventListener("pageshow", (event) => { if (event.persisted) { isBusy = false; look(); } });
