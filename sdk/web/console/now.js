// The tab "Now": the live picture, what is said and what comes, and everything that steers it.
import { WhepPlayer } from "../static/whep.js";
import { api, get, post } from "./api.js";
import { doing, notice } from "./ask.js";
import { button, card, h, plain } from "./dom.js";

export class Now {
  constructor(desk) {
    this.desk = desk;
    this.session = `api/sessions/${encodeURIComponent(desk.about.session)}`;
    this.products = new Map();
    this.video = h("video", { autoplay: true, playsinline: true, muted: true, "aria-label": "The live picture" });
    this.video.muted = true;
    this.player = new WhepPlayer(this.video, `whep/${encodeURIComponent(desk.about.session)}`, desk.about.ticket);
    this.player.addEventListener("state", ({ detail }) => desk.connection("picture", detail));
    addEventListener("pagehide", () => this.player.release());
    this.player.start();
    this.root = this.build();
    desk.news.addEventListener("news", ({ detail }) => this.heard[detail.type]?.(detail));
  }

  build() {
    this.caption = h("p.caption", { "aria-live": "off" }, "…");
    this.viewers = h("b", "–");
    this.mute = button("Sound on", () => this.sound(), "quiet");
    this.queue = h("ol.queue");
    this.pinned = h("div.pinned");
    this.text = h("textarea", { rows: 3, maxlength: 4000, "aria-label": "What the presenter is to say", placeholder: "Type what the presenter is to say…" });
    this.about = h("select");
    this.cut = h("input", { type: "checkbox" });
    this.pinChoice = h("select", { "aria-label": "Product to pin" });
    this.script = h("button.switch", { type: "button", role: "switch", "aria-checked": "false", onclick: () => this.toggleScript() }, h("i"));
    this.scriptRow = h("div.row.between", { hidden: true }, h("span", "The script walks through the catalogue"), this.script);
    const say = h("form", { onsubmit: (event) => this.say(event) },
      this.text,
      h("div.row.low", h("label.field.grow", h("span", "Pins"), this.about), h("label.check", this.cut, "Interrupt")),
      h("div.row", h("button.primary", { type: "submit" }, "Say it"), button("Silence now", () => this.silence(), "danger")));
    return h("div.now", 
      h("section.card.live", { "aria-label": "Live" },
        h("div.picture", this.video, h("span.watching", this.viewers, " watching, this preview included")),
        this.caption, h("div.row.between", this.scriptRow, this.mute)),
      h("div.stack", card("Say", say), card("Next", this.queue)),
      h("div.stack",
        card("Pinned", this.pinned, h("div.row", this.pinChoice, button("Pin", () => this.pin(this.pinChoice.value)), button("Take away", () => this.pin(null), "quiet"))),
        card("Face",
          h("h3", "Feeling"), h("div.chips", { role: "group", "aria-label": "Feeling" }, this.desk.about.emotions.map((name) => this.feeling(name))),
          h("h3", "Do once"), h("div.chips", { role: "group", "aria-label": "Do once" }, this.desk.about.acts.map((name) =>
            button(plain(name.replace("-", " ")), () => doing(() => post(api("/show/perform"), { kind: "act", name })), "chip"))))));
  }

  feeling(name) {
    const chip = button(name, async () => {
      if (!(await doing(() => post(api("/show/perform"), { kind: "emotion", name })))) return;
      for (const one of chip.parentElement.children) one.setAttribute("aria-pressed", String(one === chip));
    }, "chip");
    chip.setAttribute("aria-pressed", "false");
    return chip;
  }

  heard = {
    welcome: ({ data }) => {
      this.setProducts(data.products);
      this.showPinned(data.pinned);
      this.showCaption(data.caption?.text);
    },
    "avatar.transcription": ({ data }) => {
      this.showCaption(data.text);
      this.refresh();
    },
    "avatar.state_changed": ({ data }) => data.state === "idle" && this.showCaption(""),
    "product.pinned": ({ data }) => this.showPinned(data.product),
    "product.changed": ({ data }) => data.product.sku === this.sku && this.showPinned(data.product),
  };

  // Called every two seconds while the tab is open, and when a line begins.
  async refresh() {
    let now;
    try {
      now = await get(api("/show"));
    } catch {
      return; // the header says that the server is gone
    }
    this.viewers.textContent = String(now.viewers);
    this.scriptRow.hidden = now.script === "none";
    this.script.setAttribute("aria-checked", String(now.script === "on"));
    this.script.setAttribute("aria-label", "The script walks through the catalogue");
    const lines = now.queue.map((one) => h("li", h(`span.tag.${one.priority}`, plain(one.priority)), h("span.words", one.text)));
    this.queue.replaceChildren(...(lines.length ? lines : [h("li.empty", "Nothing waits.")]));
  }

  showCaption(text) {
    this.caption.textContent = text?.replace(/\s+/g, " ").trim() || "Silent.";
    this.caption.classList.toggle("silent", !text);
  }

  setProducts(products) {
    this.products = new Map(products.map((one) => [one.sku, one]));
    const options = () => products.map((one) => h("option", { value: one.sku }, one.title));
    this.about.replaceChildren(h("option", { value: "" }, "nothing"), ...options());
    this.pinChoice.replaceChildren(...options());
  }

  showPinned(product) {
    this.sku = product?.sku ?? null;
    if (!product) return this.pinned.replaceChildren(h("p.empty", "Nothing is pinned."));
    const stock = product.stock === null ? "not counted" : product.stock ? `${product.stock} left` : "sold out";
    const image = this.desk.picture(product.image);
    this.pinned.replaceChildren(image ? h("img", { src: image, alt: "" }) : h("span.thumb", [...product.title][0] ?? "?"),
      h("div", h("b", product.title), h("p", product.price.text, h("span.soft", ` · ${stock}`))));
  }

  async say(event) {
    event.preventDefault();
    const text = this.text.value.trim();
    if (!text) return this.text.focus();
    const body = { text, product: this.about.value || null, interrupt: this.cut.checked };
    if (await doing(() => post(`${this.session}/say`, body), this.cut.checked ? "Said at once." : "It comes next.")) {
      this.text.value = "";
      this.refresh();
    }
  }

  async silence() {
    if (await doing(() => post(`${this.session}/interrupt`), "Silent.")) this.refresh();
  }

  async pin(sku) {
    if (sku === "") return;
    await doing(() => post(`${this.session}/pin`, { sku }));
  }

  async toggleScript() {
    const isOn = this.script.getAttribute("aria-checked") !== "true";
    if (await doing(() => post(api("/show/script"), { is_on: isOn }))) {
      notice(isOn ? "The script goes on." : "The script waits after this sentence.");
      this.refresh();
    }
  }

  sound() {
    this.video.muted = !this.video.muted;
    this.mute.textContent = this.video.muted ? "Sound on" : "Sound off";
    this.video.play().catch(() => {});
  }

  open() {
    this.refresh();
    this.timer = setInterval(() => this.refresh(), 2000);
  }

  close() {
    clearInterval(this.timer);
  }
}
