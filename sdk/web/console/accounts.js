// Where recommenders' commissions go at the payment provider; the others are paid by hand.
import { api, get, part, put } from "./api.js";
import { ask, doing } from "./ask.js";
import { brief, button, h } from "./dom.js";

export class Accounts {
  // onChange() when an account was entered.
  constructor(onChange) {
    this.onChange = onChange;
    this.provider = null;
    this.known = new Map();
  }

  async load() {
    const found = await get(api("/accounts"));
    this.provider = found.provider;
    this.known = new Map(found.items.map((one) => [one.recommender, one.account]));
  }

  // A column of the balances; none where the till pays nobody out.
  columns() {
    return this.provider === null ? [] : [{ head: "Paid to", cell: (row) => this.cell(row.recommender) }];
  }

  cell(recommender) {
    const account = this.known.get(recommender);
    const label = account ? "Change…" : "Enter account…";
    return h("span.row", account ? h("code", account) : "by hand", button(label, () => this.enter(recommender), "quiet"));
  }

  async enter(recommender) {
    const text = `Commissions of ${brief(recommender)} go to this account at ${this.provider} from the next payout on.`;
    const fields = [{ name: "account", label: "Connected account", required: true, hint: "acct_…", value: this.known.get(recommender) ?? "" }];
    const said = await ask("Where does it go?", text, fields, "Save account");
    if (!said) return;
    if (await doing(() => put(api(`/accounts/${part(recommender)}`), said), "Saved.")) this.onChange();
  }
}
