// The pinned product and the shelf. Everything is set as text; nothing from the catalogue is HTML.
import { strings } from "./strings.js";

const $ = (id) => document.getElementById(id);

export class Products {
  // onAsk(product) when a shopper wants to know more; onBuy(product) when one wants it.
  constructor({ onAsk, onBuy }) {
    this.onAsk = onAsk;
    this.onBuy = onBuy;
    this.till = null;
    this.wanted = null;
    this.isWantedFirst = false;
    this.buying = false;
    this.all = new Map();
    this.shown = new Set();
    this.count = 0;
    this.pinned = null;
    $("card-buy").addEventListener("click", () => this.buy(this.onCard));
    $("card-ask").addEventListener("click", () => this.onCard && onAsk(this.all.get(this.onCard)));
    $("card-from").addEventListener("click", () => {
      this.isWantedFirst = false;
      this.drawCard({ arrives: true });
    });
  }

  // Who came for a product keeps it on the card until they want to see what is being shown.
  get onCard() {
    return this.isWantedFirst && this.all.has(this.wanted) ? this.wanted : this.pinned;
  }

  // The shelf holds the first of a large shop's products; count is of all.
  setAll(products, pinned, count) {
    this.all = new Map(products.map((p) => [p.sku, p]));
    this.shown = new Set(this.all.keys());
    this.count = count;
    this.pinned = pinned?.sku ?? null;
    if (pinned) this.all.set(pinned.sku, pinned);
    this.drawShelf();
    this.drawCard();
  }

  pin(product) {
    this.pinned = product?.sku ?? null;
    if (product) this.all.set(product.sku, product);
    this.drawCard({ arrives: this.onCard === this.pinned });
    for (const row of $("shelf-list").children) {
      const now = row.dataset.sku === this.pinned;
      row.classList.toggle("now", now);
      if (now) row.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
    }
  }

  change(product) {
    this.all.set(product.sku, product);
    if (product.sku === this.onCard) this.drawCard();
    const row = [...$("shelf-list").children].find((r) => r.dataset.sku === product.sku);
    if (row) row.replaceWith(this.row(product));
  }

  drawCard({ arrives = false } = {}) {
    const card = $("card");
    const product = this.onCard && this.all.get(this.onCard);
    card.hidden = !product;
    if (!product) return;
    if (card.dataset.sku !== product.sku) $("card-picture").replaceChildren(picture(product));
    card.dataset.sku = product.sku;
    $("card-from").hidden = product.sku === this.pinned || !this.pinned;
    $("card-title").textContent = product.title;
    $("card-price").textContent = product.price.text;
    $("card-compare").textContent = product.compare_at?.text ?? "";
    $("card-saving").textContent = saving(product);
    stock($("card-stock"), product);
    const view = $("card-view");
    const buy = $("card-buy");
    const link = safeLink(product.url);
    const canBuy = Boolean(this.till?.isOpen) && !soldOut(product);
    view.hidden = canBuy || !link || soldOut(product);
    buy.hidden = !view.hidden;
    if (link) view.href = link;
    buy.disabled = !canBuy || this.buying;
    buy.textContent = this.buyLabel(product, canBuy);
    this.drawFlash(product);
    if (arrives && !calm()) {
      card.classList.remove("arrives");
      void card.offsetWidth; // restarts the animation
      card.classList.add("arrives");
    }
  }

  buyLabel(product, canBuy) {
    if (this.buying) return strings.buying;
    if (canBuy) return strings.buy;
    return soldOut(product) ? strings.sold_out : strings.buy_later;
  }

  drawFlash(product) {
    const flash = this.till?.flashOf(product.sku);
    $("card-flash").hidden = !flash || soldOut(product);
    $("card-stock").hidden = !$("card-flash").hidden;
    if (!flash) return;
    $("card-flash").textContent = strings.flash(flash.seconds, flash.left);
    if (flash.price.minor >= product.price.minor) return;
    $("card-price").textContent = flash.price.text;
    $("card-compare").textContent = product.price.text;
    $("card-saving").textContent = strings.off(Math.floor(100 - (100 * flash.price.minor) / product.price.minor));
  }

  // The till opened or closed, or a second of a flash price has passed.
  tillChanged(till) {
    const wasOpen = this.till?.isOpen;
    this.till = till;
    this.drawCard();
    if (wasOpen !== till.isOpen) this.drawShelf();
  }

  async buy(sku) {
    const product = sku && this.all.get(sku);
    if (!product || this.buying) return;
    this.buying = true;
    this.drawCard();
    try {
      await this.onBuy(product);
    } finally {
      this.buying = false;
      this.drawCard();
    }
  }

  // The product a link from a chat speaks of; null when the page was opened without one.
  async show(sku, find) {
    if (!sku || this.wanted === sku) return this.markWanted();
    this.wanted = sku;
    this.isWantedFirst = true;
    // A large shop's shelf holds only its first products.
    if (!this.all.has(sku)) {
      const product = await find(sku).catch(() => null);
      if (product) this.all.set(sku, product);
    }
    this.drawCard({ arrives: true });
    this.markWanted();
  }

  markWanted() {
    const sku = this.wanted;
    const row = [...$("shelf-list").children].find((r) => r.dataset.sku === sku);
    if (!row) return;
    row.classList.add("wanted");
    row.scrollIntoView({ block: "center" });
  }

  drawShelf() {
    const rows = [...this.shown].map((sku) => this.row(this.all.get(sku)));
    $("shelf-list").replaceChildren(...rows);
    $("shelf-count").textContent = String(this.count);
    $("bag-count").textContent = this.count > 99 ? "99+" : String(this.count);
    if (!rows.length) {
      const empty = document.createElement("li");
      empty.className = "empty";
      empty.textContent = strings.no_products;
      $("shelf-list").append(empty);
    }
  }

  row(product) {
    const row = document.createElement("li");
    row.dataset.sku = product.sku;
    row.classList.toggle("now", product.sku === this.pinned);
    row.classList.toggle("wanted", product.sku === this.wanted);
    const frame = element("div", "row-picture");
    frame.append(picture(product));
    const text = element("div", "row-text");
    const title = element("h3", "", product.title);
    const price = element("p", "row-price");
    price.append(element("b", "", product.price.text));
    if (product.compare_at) price.append(" ", element("s", "", product.compare_at.text));
    const left = element("p", "row-stock");
    stock(left, product);
    text.append(title, price, left, element("span", "row-now", strings.now_showing));
    const ask = element("button", "ask", strings.ask);
    ask.type = "button";
    ask.setAttribute("aria-label", `${strings.ask}: ${product.title}`);
    ask.addEventListener("click", () => this.onAsk(product));
    const actions = element("div", "row-actions");
    if (this.till?.isOpen && !soldOut(product)) {
      const buy = element("button", "buy", strings.buy);
      buy.type = "button";
      buy.setAttribute("aria-label", `${strings.buy}: ${product.title}`);
      buy.addEventListener("click", () => this.buy(product.sku));
      actions.append(buy);
    }
    actions.append(ask);
    row.append(frame, text, actions);
    return row;
  }
}

function picture(product) {
  if (product.image) {
    const image = document.createElement("img");
    image.src = withTicket(product.image);
    image.alt = "";
    image.loading = "lazy";
    image.decoding = "async";
    image.addEventListener("error", () => image.replaceWith(initial(product)), { once: true });
    return image;
  }
  return initial(product);
}

// Our own pictures lie below this page, wherever it is mounted, and behind the same ticket as the
// rest; foreign servers must not see it.
export function withTicket(address) {
  if (!address.startsWith("/")) return address;
  const own = new URL(address.replace(/^\/+/, ""), location.href);
  const ticket = new URLSearchParams(location.search).get("ticket");
  if (ticket) own.searchParams.set("ticket", ticket);
  return own.href;
}

function initial(product) {
  return element("span", "initial", [...product.title][0]?.toUpperCase() ?? "?");
}

function stock(el, product) {
  el.className = el.className.split(" ")[0];
  if (soldOut(product)) {
    el.textContent = strings.sold_out;
    el.classList.add("out");
  } else if (product.stock === null) {
    el.textContent = strings.in_stock;
  } else {
    el.textContent = strings.left(product.stock);
    el.classList.toggle("few", product.stock <= 5);
  }
}

function saving(product) {
  const before = product.compare_at?.minor;
  if (!before || before <= product.price.minor) return "";
  return strings.off(Math.floor(100 - (100 * product.price.minor) / before));
}

const soldOut = (product) => product.stock === 0;
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function safeLink(url) {
  try {
    const link = new URL(url);
    return link.protocol === "https:" || link.protocol === "http:" ? link.href : null;
  } catch {
    return null;
  }
}

function element(tag, className, text) {
  const el = document.createElement(tag);
  if (className) el.className = className;
  if (text !== undefined) el.textContent = text;
  return el;
}
