// The tab "Chats": services, groups and their rules, dead letters, and what the catalogue lacks.
import { api, get, part, patch, post } from "./api.js";
import { ask, doing } from "./ask.js";
import { button, card, fill, h, more, person, plain, table, when } from "./dom.js";

const WHO = [["anyone", "every member"], ["consented", "members who opted in"], ["admins", "the group's admins"]];
const TONES = [["plain", "plain"], ["warm", "warm"], ["brisk", "brisk"]];
const LANGUAGES = [["", "the voice's"], ["en", "English"], ["es", "Spanish"], ["pt", "Portuguese"], ["zh", "Chinese"]];
const READS = { everything: "reads every message", addressed: "reads what is addressed to it", commands: "reads its commands" };

export class Chats {
  constructor(desk) {
    this.desk = desk;
    this.channels = h("div");
    this.groups = h("div");
    this.letters = h("div");
    this.errands = h("div");
    this.wishes = h("div");
    this.root = h("div.columns",
      h("div.stack", card("Services", this.channels), card("Asked for in vain", this.wishes), card("Letters", this.letters), card("Work of the till that failed", this.errands)),
      card("Groups", this.groups));
  }

  open() {
    fill(this.channels, () => this.services());
    fill(this.groups, () => this.groupList(0));
    fill(this.letters, () => this.inbox(0));
    fill(this.errands, () => this.failed());
    fill(this.wishes, () => this.lacking());
  }

  close() {}

  async services() {
    const { channels } = await get(api("/chats"));
    const lines = [...channels].sort((a, b) => b.is_on - a.is_on).map((one) => h("li", { dataset: { on: one.is_on } },
      h("b", one.name), h(`span.tag.${one.is_on ? "paid" : "off"}`, one.is_on ? "on" : "off"),
      h("span.soft", one.is_on ? (one.last_heard ? ["heard ", when(one.last_heard)] : "nothing heard yet") : READS[one.reads])));
    const isOff = !channels.some((one) => one.is_on);
    return [isOff ? h("p", "No chat service is connected. Set its keys as environment variables and start again; docs/messaging.md says which.") : null, h("ul.services", lines)];
  }

  // -- groups ------------------------------------------------------------------------------------------

  async groupList(offset) {
    const found = await get(api("/groups"), { offset });
    if (!found.items.length) return h("p.empty", "No group has written yet; they appear when they do.");
    return [h("ul.groups", found.items.map((one) => h("li", this.group(one)))), more(found.next_offset, (next) => fill(this.groups, () => this.groupList(next)))];
  }

  group(one) {
    const { rules } = one;
    const quiet = rules.quiet ? `quiet ${rules.quiet.start}–${rules.quiet.end}` : "no quiet hours";
    return h("details", { dataset: { node: one.node } },
      h("summary", person(one.node), h(`span.tag.${rules.is_on ? "paid" : "off"}`, rules.is_on ? "on" : "off"),
        h("span.soft", `${one.pitches} pitches · ${rules.per_day} a day · ${quiet}`)),
      this.form(one));
  }

  form(one) {
    const { rules } = one;
    const wrong = h("p.wrong", { role: "alert" });
    const field = (label, el) => h("label.field", h("span", label), el);
    const number = (name, least, most) => h("input", { name, type: "number", min: least, max: most, step: 1, required: true, value: String(rules[name]) });
    const text = (name, value, hint, most) => h("input", { name, value, placeholder: hint, maxlength: most, autocomplete: "off" });
    const choice = (name, choices) => {
      const el = h("select", { name }, choices.map(([key, words]) => h("option", { value: key }, words)));
      el.value = rules[name];
      return el;
    };
    const check = (name, label) => h("label.check", h("input", { name, type: "checkbox", checked: rules[name] }), label);
    const zone = rules.quiet?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
    const form = h("form.rules",
      check("is_on", "The shop may speak here"),
      h("fieldset", h("legend", "When"),
        h("label.check", h("input", { name: "has_quiet", type: "checkbox", checked: rules.quiet !== null }), "Quiet hours"),
        h("div.row", field("from", h("input", { name: "start", type: "time", value: rules.quiet?.start ?? "22:00" })), field("until", h("input", { name: "end", type: "time", value: rules.quiet?.end ?? "08:00" })), field("Time zone", text("zone", zone, "Asia/Shanghai", 60)))),
      h("fieldset", h("legend", "How often"), h("div.grid",
        field("Pitches a day", number("per_day", 0, 200)), field("One every … minutes", number("every_minutes", 1, 1440)), field("In 100 messages", number("per_100_messages", 0, 100)))),
      h("fieldset", h("legend", "Who decides"), h("div.grid",
        field("Who may cause a pitch", choice("who", WHO)), field("Votes that take one back", number("veto", 1, 100)), field("Strikes until silence", number("strikes", 1, 100))),
        check("needs_approval", "An admin says yes to each pitch"), check("takes_alerts", "News that nobody asked for are welcome")),
      h("fieldset", h("legend", "What"), h("div.grid",
        field("Never pitched (commas)", text("banned", rules.banned.join(", "), "alcohol, knives", 1200)), field("Only (commas)", text("only", rules.only.join(", "), "everything", 1200)),
        field("What they share", text("audience", rules.audience, "hikers", 60)), field("Tone", choice("tone", TONES)), field("Language", choice("language", LANGUAGES)))),
      wrong, h("div.row", h("button.primary", { type: "submit" }, "Save rules"), h("span.soft", one.keeps_text ? "Its admin lets messages be kept." : "Messages are not kept.")));
    const hours = () => ["start", "end", "zone"].forEach((name) => (form.elements[name].disabled = !form.elements.has_quiet.checked));
    form.elements.has_quiet.addEventListener("change", hours);
    hours();
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      wrong.textContent = "";
      try {
        await this.save(one, form.elements);
      } catch (error) {
        wrong.textContent = error.message;
      }
    });
    return form;
  }

  async save(one, fields) {
    const words = (name) => fields[name].value.split(/[,，、]/).map((word) => word.trim()).filter(Boolean);
    const wanted = {
      is_on: fields.is_on.checked,
      quiet: fields.has_quiet.checked ? { start: fields.start.value, end: fields.end.value, zone: fields.zone.value.trim() } : "off",
      needs_approval: fields.needs_approval.checked, takes_alerts: fields.takes_alerts.checked,
      banned: words("banned"), only: words("only"), audience: fields.audience.value.trim(),
    };
    for (const name of ["who", "tone", "language"]) if (fields[name].value) wanted[name] = fields[name].value;
    for (const name of ["per_day", "every_minutes", "per_100_messages", "veto", "strikes"]) wanted[name] = Number(fields[name].value);
    // Only what changed is sent, so that two people who edit at once do not undo each other.
    const before = { ...one.rules, quiet: one.rules.quiet ?? "off" };
    const changes = Object.fromEntries(Object.entries(wanted).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])));
    const saved = await patch(api(`/groups/${one.node.split("/").map(part).join("/")}`), changes);
    const place = [...this.groups.querySelectorAll("details")].find((el) => el.dataset.node === one.node);
    const fresh = this.group(saved);
    fresh.open = true;
    place.replaceWith(fresh);
    fresh.querySelector("summary").focus();
    doing(async () => true, "Saved.");
  }

  // -- letters -----------------------------------------------------------------------------------------

  async inbox(offset) {
    const found = await get(api("/inbox"), { state: "dead", limit: 20, offset });
    const { counts } = found;
    const again = async (keys) => {
      if (await doing(() => post(api("/inbox/retry"), { keys }), "They are tried again.")) this.open();
    };
    const drop = async (one) => {
      if (!(await ask("Give this letter up?", "What it held is deleted.", [], "Give up", "danger"))) return;
      if (await doing(() => post(api("/inbox/drop"), { keys: [one.key] }), "Given up.")) this.open();
    };
    return [
      h("p", `${counts.new} wait, ${counts.done} done, `, h("b", `${counts.dead} dead`), "."),
      counts.dead ? h("div.row", button("Try all again", () => again(null))) : null,
      counts.dead ? table("Dead letters", [
        { head: "From", cell: (one) => one.source },
        { head: "Came", cell: (one) => when(one.received_at) },
        { head: "Problem", cell: (one) => one.problem },
        { head: "", cell: (one) => h("span.row", button("Try again", () => again([one.key])), button("Give up…", () => drop(one), "quiet")) },
      ], found.items, "") : null,
      more(found.next_offset, (next) => fill(this.letters, () => this.inbox(next))),
    ];
  }

  async failed() {
    const { items } = await get(api("/dead-letters"));
    const again = async (one) => {
      if (await doing(() => post(api(`/dead-letters/${one.id}/retry`)), "It is tried again.")) fill(this.errands, () => this.failed());
    };
    return table("Work of the till that failed", [
      { head: "Work", cell: (one) => plain(one.kind) },
      { head: "About", cell: (one) => h("code", one.aggregate) },
      { head: "Problem", cell: (one) => `${one.error} (${one.attempts} tries)` },
      { head: "", cell: (one) => button("Try again", () => again(one)) },
    ], items, "Nothing failed.");
  }

  async lacking() {
    const found = await get(api("/wishes"));
    return [
      table("Asked for in vain", [
        { head: "Word", cell: (one) => one.word },
        { head: "Members", number: true, cell: (one) => one.members },
        { head: "Groups", number: true, cell: (one) => one.groups },
        { head: "This week", number: true, cell: (one) => one.lately },
      ], found.items, "Nothing that two members asked for was missing."),
      h("p.soft", `${found.pitched} of ${found.on_sale} products were pitched in chats.`),
    ];
  }
}
