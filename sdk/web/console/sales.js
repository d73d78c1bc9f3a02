// The tab "Sales": who brought them, who earns what of them, and why.
import { Accounts } from "./accounts.js";
import { api, download, get, part, post, save } from "./api.js";
import { ask, doing, notice } from "./ask.js";
import { brief, button, card, count, fill, h, more, person, plain, select, table, when } from "./dom.js";
import { bars, line } from "./plots.js";

const GROUPS = [["recommender", "Recommender"], ["group", "Group"], ["product", "Product"], ["channel", "Channel"], ["session", "Live session"]];
const MODELS = [["paid", "As paid by the rule"], ["first", "First touch"], ["last", "Last touch"], ["last_non_direct", "Last recommendation"], ["linear", "Linear"], ["time_decay", "Time decay"], ["position", "Position"], ["markov", "Markov"], ["shapley", "Shapley"]];
const PERIODS = [["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["", "All time"]];
const DAY_MS = 86_400_000;
const iso = (ms) => new Date(ms).toISOString();

export class Sales {
  constructor(desk) {
    this.desk = desk;
    this.wanted = { group_by: "recommender", model: "paid", days: "30" };
    this.report = h("div");
    this.holds = h("div");
    this.balances = h("div");
    this.accounts = new Accounts(() => this.showMoney());
    this.payouts = h("div");
    this.proof = h("div");
    const set = (name) => (value) => {
      this.wanted[name] = value;
      this.showReport();
    };
    this.number = h("input", { required: true, placeholder: "order_…", "aria-label": "Order", autocomplete: "off", maxlength: 64 });
    this.root = h("div.stack.sales",
      card("Who brought the sales",
        h("div.row.filters", select("By", GROUPS, "recommender", set("group_by")), select("Model", MODELS, "paid", set("model")), select("Period", PERIODS, "30", set("days")),
          button("Download CSV", () => doing(() => download(api("/sales.csv"), this.query(), `sales-by-${this.wanted.group_by}.csv`)))),
        this.report),
      card("Held for you to look at", this.holds),
      card("Balances", this.balances),
      card("Payouts",
        h("p.soft", "Payouts on the rail csv are not paid by this software: pay them at your bank, then confirm each one. Test orders are never paid."),
        h("div.row", button("Settle what is due", () => this.settle()), button("List what is payable", () => this.begin()), button("Download for the bank", () => doing(() => download(api("/payouts.csv"), {}, "payouts.csv")))),
        this.payouts),
      card("Statement of an order",
        h("p.soft", "Signed, with everything its figures come from. Whoever earns can check it without you."),
        h("form.row", { onsubmit: (event) => this.lookUp(event) }, this.number, h("button", { type: "submit" }, "Show")),
        this.proof));
  }

  query() {
    const { group_by, model, days } = this.wanted;
    return { group_by, model, since: days ? this.since() : "" };
  }

  // Whole days of UTC, today among them.
  since() {
    const today = Math.floor(Date.now() / DAY_MS);
    return iso((today - Number(this.wanted.days) + 1) * DAY_MS);
  }

  open() {
    this.showReport();
    this.showHolds();
    this.showMoney();
  }

  close() {}

  showReport() {
    return fill(this.report, async () => {
      const query = this.query();
      const [found, byDay] = await Promise.all([get(api("/sales"), { ...query, limit: 200 }), get(api("/sales/days"), { since: query.since })]);
      if (JSON.stringify(query) !== JSON.stringify(this.query())) return [...this.report.children];
      return [
        found.is_test && found.orders ? h("p.banner", "TEST MODE: these are test orders; no real money moved.") : null,
        found.model !== "paid" ? h("p.soft", "This model is analysis. What is paid follows the declared rule.") : null,
        this.tiles(found),
        found.orders ? h("div.plots", this.bars(found), this.line(byDay.items)) : null,
        this.rows(found),
        found.next_offset === null ? null : h("p.soft", `The first ${found.rows.length} of ${found.row_count}; the CSV file has all.`),
      ];
    });
  }

  tiles(found) {
    const tile = (name, ...values) => h("div.tile", h("span", name), values.map((value) => h("b", { dataset: { tile: name } }, value)));
    const each = (field) => found.totals.filter((one) => one[field]).map((one) => one[field].text);
    const none = found.rows.filter((row) => row.key === "(none)");
    return h("div.tiles", tile("Orders", count(found.orders)), tile("Goods", ...(each("goods").length ? each("goods") : ["–"])),
      tile("Returned", ...(each("returned").length ? each("returned") : ["–"])),
      found.model === "paid" ? tile("Commission", ...(each("commission").length ? each("commission") : ["–"])) : null,
      tile("Unattributed", ...(none.length ? none.map((row) => row.goods.text) : ["none"])));
  }

  bars(found) {
    const currency = found.rows[0].goods.currency;
    const rows = found.rows.filter((row) => row.goods.currency === currency).slice(0, 8).map((row) => ({
      label: row.key === "(none)" ? "Unattributed" : brief(row.key),
      value: row.goods.minor, text: row.goods.text, muted: row.key === "(none)",
    }));
    const title = `Goods by ${this.wanted.group_by}, ${currency}`;
    return h("figure", h("figcaption", title), bars(title, rows));
  }

  line(items) {
    if (!items.length) return null;
    const currency = items[0].goods.currency;
    const sold = new Map(items.filter((one) => one.goods.currency === currency).map((one) => [one.day, one]));
    const last = Math.floor(Date.now() / DAY_MS);
    const first = this.wanted.days ? last - Number(this.wanted.days) + 1 : Math.max(last - 364, Math.min(last - 6, Date.parse(items[0].day) / DAY_MS));
    const points = [];
    for (let day = first; day <= last; day++) {
      const name = iso(day * DAY_MS).slice(0, 10);
      const one = sold.get(name);
      points.push({ day: name, value: one?.goods.minor ?? 0, text: one ? `${one.goods.text}, ${one.orders} orders` : "nothing" });
    }
    const most = [...sold.values()].reduce((a, b) => (a.goods.minor >= b.goods.minor ? a : b));
    const title = `Goods by day (UTC), ${currency}`;
    return h("figure", h("figcaption", title), line(title, points, most.goods.text));
  }

  rows(found) {
    const name = GROUPS.find(([key]) => key === found.group_by)[1];
    const columns = [
      { head: name, cell: (row) => person(row.key) },
      { head: "Orders", number: true, cell: (row) => count(row.orders) },
      { head: "Goods", number: true, cell: (row) => row.goods.text },
      { head: "Returned", number: true, cell: (row) => row.returned.text },
    ];
    if (found.model === "paid") columns.push({ head: "Commission", number: true, cell: (row) => row.commission?.text ?? "–" });
    return table(`Sales by ${found.group_by}`, columns, found.rows, "Nothing was sold in this time.");
  }

  // -- holds --------------------------------------------------------------------------------------

  showHolds(offset = 0) {
    return fill(this.holds, async () => {
      const found = await get(api("/holds"), { offset });
      if (!found.items.length) return h("p.empty", "Nothing is held.");
      return [h("ul.holds", found.items.map((one) => this.hold(one))), more(found.next_offset, (next) => this.showHolds(next))];
    });
  }

  hold(one) {
    return h("li", { dataset: { order: one.order } },
      h("div.row.between", h("b", one.commission.text), h("button.link", { type: "button", onclick: () => this.show(one.order) }, h("code", one.order))),
      h("p", "for ", one.recommenders.map((node, i) => [i ? ", " : "", person(node)]).flat()),
      h("ul.plain", one.signals.map((signal) => h("li", h(`span.tag.${signal.is_strong ? "strong" : "weak"}`, plain(signal.code)), ` ${signal.explanation}`))),
      h("div.row", button("Release…", () => this.decide(one, "release"), "primary"), button("Deny…", () => this.decide(one, "deny"), "danger")));
  }

  async decide(one, verdict) {
    const text = verdict === "release"
      ? `${one.commission.text} becomes payable once the return window is over. Your name and reason stand on the statement.`
      : `Nobody earns a commission of this order. Your name and reason stand on the statement.`;
    const fields = [{ name: "by", label: "Who decides", required: true, value: this.by ?? "" }, { name: "note", label: "Why", required: true }];
    const said = await ask(verdict === "release" ? "Release this commission?" : "Deny this commission?", text, fields, verdict === "release" ? "Release" : "Deny", verdict === "release" ? "primary" : "danger");
    if (!said) return;
    this.by = said.by;
    if (await doing(() => post(api(`/holds/${part(one.order)}/${verdict}`), said), verdict === "release" ? "Released." : "Denied.")) this.open();
  }

  // -- balances and payouts -------------------------------------------------------------------------

  showMoney() {
    fill(this.balances, () => this.balanceRows(0));
    fill(this.payouts, () => this.payoutRows(0));
  }

  async balanceRows(offset) {
    const [found] = await Promise.all([get(api("/balances"), { offset }), this.accounts.load()]);
    const amount = (name) => ({ head: name, number: true, cell: (row) => row[name.toLowerCase()].text });
    return [table("Commission balances", [
      { head: "Recommender", cell: (row) => [person(row.recommender), row.is_test ? h("span.tag.test-tag", "TEST") : null] },
      ...["Held", "Payable", "Paying", "Paid", "Carried"].map(amount), ...this.accounts.columns(),
    ], found.items, "Nobody has earned a commission yet."), more(found.next_offset, (next) => fill(this.balances, () => this.balanceRows(next)))];
  }

  async payoutRows(offset) {
    const found = await get(api("/payouts"), { offset });
    return [table("Payouts", [
      { head: "Recommender", cell: (row) => [person(row.recommender), row.is_test ? h("span.tag.test-tag", "TEST") : null] },
      { head: "Amount", number: true, cell: (row) => row.amount.text },
      { head: "State", cell: (row) => h(`span.tag.${row.state}`, row.state) },
      { head: "Rail", cell: (row) => row.rail },
      { head: "Reference", cell: (row) => row.reference ?? row.problem ?? "–" },
      { head: "", cell: (row) => (row.state === "started" && row.rail === "csv" ? h("span.row", button("Arrived…", () => this.finish(row, "confirm")), button("Failed…", () => this.finish(row, "fail"), "quiet")) : "") },
    ], found.items, "No payouts yet."), more(found.next_offset, (next) => fill(this.payouts, () => this.payoutRows(next)))];
  }

  async settle() {
    const done = await doing(() => post(api("/payouts/settle")));
    if (!done) return;
    notice(`${done.matured} orders became payable, ${done.held} are held.`);
    this.open();
  }

  async begin() {
    const done = await doing(() => post(api("/payouts/begin")));
    if (!done) return;
    notice(done.items.length ? `${done.items.length} payouts wait for you.` : "Nothing is payable now.");
    this.showMoney();
  }

  async finish(row, how) {
    const isGood = how === "confirm";
    const fields = [{ name: "text", label: isGood ? "The bank's reference" : "What went wrong", required: true }];
    const said = await ask(isGood ? "Did the money arrive?" : "Did it not go out?", `${row.amount.text} for ${row.recommender}`, fields, isGood ? "It arrived" : "It failed", isGood ? "primary" : "danger");
    if (said && (await doing(() => post(api(`/payouts/${part(row.key)}/${how}`), said)))) this.showMoney();
  }

  // -- statements -------------------------------------------------------------------------------------

  lookUp(event) {
    event.preventDefault();
    this.show(this.number.value.trim());
  }

  async show(order) {
    this.number.value = order;
    await fill(this.proof, async () => this.statement(await get(api(`/statements/${part(order)}`))));
    this.proof.scrollIntoView({ block: "nearest" });
  }

  statement(document) {
    const said = document.statement;
    const money = (minor) => new Intl.NumberFormat(undefined, { style: "currency", currency: said.currency }).format(minor / 10 ** digits(said.currency));
    const file = `statement-${said.order}.json`;
    const key = this.desk.about.public_key;
    const keep = () => save(new Blob([JSON.stringify(document, null, 2)], { type: "application/json" }), file);
    return h("div.statement", { dataset: { order: said.order } },
      said.is_test ? h("p.banner", "TEST MODE: no real money moved.") : null,
      h("p", "Paid ", when(said.paid_at), " by ", person(said.buyer), `, goods ${money(said.paid.goods)}, in all ${money(said.paid.total)}.`),
      h("ul.plain", said.lines.map((one) => h("li", `${one.quantity} × ${one.sku}: ${money(one.net_minor)} (${plain(one.mechanism)}), commission ${one.commission_bps / 100} %`))),
      said.returned.refunded ? h("p", `Given back: ${money(said.returned.refunded)}.`) : null,
      said.credits.length
        ? h("ul.plain", said.credits.map((one) => h("li", person(one.recommender), ` earned ${money(one.commission)} (share ${one.share}): ${one.reason}`)))
        : h("p.unattributed", "Unattributed: no recommendation counts, nobody earns."),
      said.earnings.map((one) => h("p", "Left to ", person(one.recommender), `: ${money(one.left)}, ${said.state}.`)),
      said.signals.map((one) => h("p", h("span.tag.weak", plain(one.code)), ` ${one.explanation}`)),
      said.decision ? h("p", `${said.decision.verdict === "deny" ? "Denied" : "Released"} by ${said.decision.by}: ${said.decision.note}`) : null,
      h("div.row", button("Download (JSON)", keep, "primary")),
      h("details", h("summary", "How to check it"),
        h("p", "Anybody can, without this shop's database or a network: the signature is checked, and every figure is computed again from the touches, the rule and what went back."),
        h("pre", { tabindex: "0" }, `python -m commerce statement --verify ${file} --key ${key}`),
        h("p.soft", "The key is this shop's public one. Publish it where recommenders find it.")));
  }
}

const digits = (currency) => new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
