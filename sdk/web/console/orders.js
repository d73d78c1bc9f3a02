// The tab "Orders": what was bought and why at that price, money back, and the stock.
import { api, get, part, post, put } from "./api.js";
import { ask, doing, notice } from "./ask.js";
import { button, card, fill, h, more, select, table, when } from "./dom.js";

const STATES = [["", "All"], ["paid", "Paid"], ["open", "Open"], ["processing", "On its way"], ["released", "Given up"], ["returned", "Returned"]];
const WATCH_MS = 5000;

export class Orders {
  constructor(desk) {
    this.desk = desk;
    this.status = "";
    this.offset = 0;
    this.words = "";
    this.stockOffset = 0;
    this.list = h("div");
    this.stock = h("div");
    const search = h("input", { type: "search", placeholder: "Title or SKU", "aria-label": "Search the stock", maxlength: 100 });
    search.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => {
        this.words = search.value.trim();
        this.stockOffset = 0;
        this.showStock();
      }, 250);
    });
    this.root = h("div.columns",
      card("Orders", h("div.row.filters", select("State", STATES, "", (value) => {
        this.status = value;
        this.showOrders();
      }), button("Refresh", () => this.showOrders(), "quiet")), this.list),
      card("Stock", h("div.row", search), this.stock));
  }

  open() {
    this.showOrders();
    this.showStock();
    this.timer = setInterval(() => this.watchStock(), WATCH_MS);
  }

  close() {
    clearInterval(this.timer);
  }

  showOrders(offset = 0) {
    return fill(this.list, async () => {
      const found = await get(api("/orders"), { status: this.status, offset });
      if (!found.items.length) return h("p.empty", this.status ? "No order is in this state." : "No orders yet.");
      return [
        h("ul.orders", found.items.map((one) => this.order(one))),
        h("div.row", offset ? button("Newest", () => this.showOrders()) : null, more(found.next_offset, (next) => this.showOrders(next))),
      ];
    });
  }

  order(one) {
    const sums = [["Goods", one.goods], ["Shipping", one.shipping], ["Tax", one.tax], ["Total", one.total], ["Given back", one.refunded]];
    const isPaid = one.status === "paid";
    return h("li", h("details", { dataset: { order: one.order } },
      h("summary",
        h("span.order-title", one.lines.map((line) => `${line.quantity} × ${line.title}`).join(", ")),
        h("span.order-facts", h("b", one.total.text), h(`span.tag.${one.status}`, one.status), one.is_test ? h("span.tag.test-tag", "TEST") : null,
          one.refunded.minor ? h("span.tag.weak", one.left.minor ? `${one.refunded.text} back` : "all given back") : null, h("span.soft", when(one.created_at)))),
      h("div.receipt",
        h("p", h("code", one.order), h("span.soft", ` · ${one.provider}`), one.group ? h("span.soft", ` · group order ${one.group}`) : null),
        h("ul.plain", one.lines.map((line) => h("li",
          h("div.row.between", h("span", `${line.quantity} × ${line.title}`), h("b", line.net.text)),
          h("p.soft", line.mechanism === "list" ? `${line.unit_price.text} each: ` : `${line.unit_price.text} instead of ${line.list_price.text} each, ${line.mechanism}: `, line.reason)))),
        h("dl", sums.filter(([name, sum]) => sum.minor || name === "Total").map(([name, sum]) => [h("dt", name), h("dd", sum.text)])),
        one.note ? h("p", one.note) : null,
        isPaid ? h("div.row",
          one.left.minor ? button("Refund…", () => this.refund(one), "danger") : null,
          button("Delivered…", () => this.deliver(one)),
          button("Statement", () => this.desk.statement(one.order), "quiet")) : null)));
  }

  async refund(one) {
    const text = `${one.left.text} can still be given back. The commission follows by itself. This cannot be undone.${one.is_test ? " TEST MODE: no real money moves." : ""}`;
    const fields = [{ name: "amount", label: `Amount (${one.total.currency})`, hint: `everything: ${one.left.text}` }, { name: "reason", label: "Reason", value: "refunded by the seller", required: true }];
    const said = await ask("Give money back?", text, fields, "Refund", "danger");
    if (!said) return;
    const done = await doing(() => post(api(`/orders/${part(one.order)}/refund`), { amount: said.amount || null, reason: said.reason }));
    if (done) notice(`${done.refunded.text} given back in all.`);
    this.showOrders();
  }

  async deliver(one) {
    if (!(await ask("Does the buyer have the goods?", "The return window counts from now; after it the commission becomes payable.", [], "Delivered"))) return;
    await doing(() => post(api(`/orders/${part(one.order)}/deliver`)), "Noted as delivered.");
  }

  // -- stock -------------------------------------------------------------------------------------------

  showStock() {
    return fill(this.stock, async () => {
      const found = await get(api("/stock"), { text: this.words, offset: this.stockOffset });
      this.shown = new Map(found.items.map((one) => [one.sku, one]));
      return [
        table("Stock", [
          { head: "Product", cell: (one) => [h("span", one.title, one.variant ? h("span.soft", ` ${one.variant}`) : null), h("br"), h("code", one.sku)] },
          { head: "Price", number: true, cell: (one) => one.price.text },
          { head: "Left", number: true, cell: (one) => this.units(one) },
        ], found.items, "No product is called so."),
        h("div.row.between", h("span.soft", `${found.count} in all`),
          h("span.row", this.stockOffset ? button("First", () => this.page(0)) : null, found.next_offset === null ? null : button("Next", () => this.page(found.next_offset)))),
      ];
    });
  }

  page(offset) {
    this.stockOffset = offset;
    this.showStock();
  }

  units(one) {
    const left = h("output", { dataset: { stock: one.sku } }, one.stock === null ? "not counted" : String(one.stock));
    const change = h("button.quiet.small", { type: "button", "aria-label": `Set the stock of ${one.title}`, onclick: () => this.set(one) }, "Set…");
    return h("span.units", left, change);
  }

  async set(one) {
    const now = this.shown.get(one.sku).stock;
    const said = await ask("Set the stock", one.title, [{ name: "stock", label: "Units that can be bought", value: now === null ? "" : String(now), required: true }], "Set");
    if (!said) return;
    if (!/^\d{1,9}$/.test(said.stock)) return notice("Write a whole number, 0 or more.", "wrong");
    if (await doing(() => put(api(`/stock/${one.sku.split("/").map(part).join("/")}`), { stock: Number(said.stock) }), `${one.title}: ${said.stock} left.`)) this.watchStock();
  }

  // What buyers took meanwhile shows up without losing one's place.
  async watchStock() {
    let found;
    try {
      found = await get(api("/stock"), { text: this.words, offset: this.stockOffset });
    } catch {
      return;
    }
    for (const one of found.items) {
      this.shown?.set(one.sku, one);
      const place = [...this.stock.querySelectorAll("output")].find((el) => el.dataset.stock === one.sku);
      const text = one.stock === null ? "not counted" : String(one.stock);
      if (place && place.textContent !== text) {
        place.textContent = text;
        place.classList.remove("changed");
        void place.offsetWidth; // restarts the animation
        place.classList.add("changed");
      }
    }
  }
}
