// The Buy button: asks the till to hold the goods, then leaves for its payment page.
import { strings } from "./strings.js";

const $ = (id) => document.getElementById(id);
const ASK_EVERY_MS = 20000;

export class Till {
  // onChange() when the till opens, closes, or a flash price begins or ends.
  constructor({ session, onChange }) {
    this.session = session;
    this.onChange = onChange;
    this.isOpen = false;
    this.isTest = false;
    this.flash = new Map();
    this.skew = 0;
    this.ask();
    setInterval(() => this.ask(), ASK_EVERY_MS);
    setInterval(() => this.flash.size && onChange(), 1000);
    // Back from the payment page by the browser's button: the page may be as it was left.
    addEventListener("pageshow", () => this.ask());
  }

  async ask() {
    try {
      const answer = await fetch("checkout");
      if (!answer.ok) return;
      const state = await answer.json();
      this.isOpen = state.is_open;
      this.isTest = state.is_test;
      this.skew = Date.parse(state.now) - Date.now();
      this.flash = new Map(state.flash.map((one) => [one.sku, one]));
    } catch {
      return; // the button stays as it was; pressing it tells what is wrong
    }
    $("test-mode").hidden = !this.isTest;
    this.onChange();
  }

  // The flash price that runs now, with its seconds left; the till has the last word.
  flashOf(sku) {
    const one = this.flash.get(sku);
    if (!one || one.left <= 0) return null;
    const now = Date.now() + this.skew;
    const left = Math.ceil((Date.parse(one.ends_at) - now) / 1000);
    return Date.parse(one.starts_at) <= now && left > 0 ? { price: one.price, seconds: left, left: one.left } : null;
  }

  async buy(sku) {
    const answer = await fetch("checkout", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ lines: [{ sku, quantity: 1 }], session: this.session }),
    });
    const body = await answer.json();
    if (!answer.ok) throw new Error(answer.status === 409 ? strings.just_sold_out : body.detail);
    location.assign(body.url);
  }
}
