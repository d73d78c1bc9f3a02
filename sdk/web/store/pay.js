// The sandbox till's payment page. Everything is set as text; no card number can be typed.
const $ = (id) => document.getElementById(id);
const address = location.pathname.replace(/\/$/, "");
let page = null;

const element = (tag, className, text) => {
  const el = document.createElement(tag);
  if (className) el.className = className;
  if (text !== undefined) el.textContent = text;
  return el;
};

function pick(group, value, label, note, checked) {
  const row = element("label", "pick");
  const input = element("input");
  Object.assign(input, { type: "radio", name: group, value, checked });
  row.append(input, element("span", "", label), element("small", "num", note));
  return row;
}

const chosen = (group) => document.querySelector(`input[name="${group}"]:checked`)?.value;

function sum(label, text, className) {
  const row = element("div", className);
  row.append(element("span", "", label), element("span", "num", text));
  return row;
}

function draw() {
  const rate = Number(chosen("rate") ?? 0);
  const total = page.totals[rate].text;
  const sums = [sum("Goods", page.goods.text)];
  if (page.rates.length) sums.push(sum(`Shipping: ${page.rates[rate].name}`, page.rates[rate].price.text));
  if (page.has_tax) sums.push(sum("Tax (8 %, invented for the test)", "included below"));
  sums.push(sum("Total", total, "total"));
  $("sums").replaceChildren(...sums);
  $("pay").textContent = `Pay ${total} – test`;
}

function show(found) {
  page = found;
  $("lines").replaceChildren(...page.lines.map((line) => {
    const row = element("li");
    row.append(element("b", "", `${line.quantity} × ${line.title}`), element("span", "num", line.sum.text));
    if (line.detail) row.append(element("span", "why", line.detail));
    return row;
  }));
  page.rates.forEach((rate, i) => $("rates").append(pick("rate", String(i), rate.name, rate.price.text, i === 0)));
  $("rates").hidden = !page.rates.length;
  $("rates").addEventListener("change", draw);
  page.countries.forEach((code) => $("country").append(new Option(code, code)));
  $("country-field").hidden = !page.countries.length;
  page.cards.forEach((card, i) => $("cards").append(pick("card", card.card, card.does, card.number, i === 0)));
  $("back").href = page.cancel_url;
  draw();
  $("bill").hidden = $("form").hidden = $("back").hidden = false;
}

function over(text) {
  $("title").textContent = "This payment page is over";
  $("lead").textContent = text;
  $("form").hidden = $("bank").hidden = true;
}

function wrong(text) {
  $("wrong").textContent = text;
  $("wrong").hidden = !text;
}

async function pay(isAuthenticated = false) {
  wrong("");
  $("pay").disabled = true;
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        card: chosen("card"),
        email: $("email").value,
        rate: Number(chosen("rate") ?? 0),
        country: $("country").value,
        is_authenticated: isAuthenticated,
      }),
    });
    const result = await answer.json();
    if (!answer.ok) wrong("That did not work; look at the e-mail address and try again.");
    else if (result.outcome === "authenticate") [$("form").hidden, $("bank").hidden] = [true, false];
    else if (result.outcome === "declined") wrong(result.message);
    else location.assign(result.next_url);
  } catch {
    wrong("The shop does not answer. Nothing was paid; try again.");
  } finally {
    $("pay").disabled = false;
  }
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  pay();
});
$("yes").addEventListener("click", () => pay(true));
$("no").addEventListener("click", () => {
  [$("form").hidden, $("bank").hidden] = [false, true];
  wrong("The bank did not confirm it; nothing was paid.");
});

const answer = await fetch(`${address}/state`).catch(() => null);
if (!answer?.ok) over("There is no such page. Go back to the show and press Buy again.");
else {
  const found = await answer.json();
  if (found.state === "open") show(found);
  else {
    over(found.state === "expired" ? "The hold has ended and the goods are back on the shelf." : "It was paid already.");
    $("back").href = found.success_url;
    $("back").textContent = "To the order";
    $("back").hidden = false;
  }
}
