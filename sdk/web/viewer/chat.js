// The chat: one's own bubble, others', and the presenter's answers.
import { strings } from "./strings.js";

const $ = (id) => document.getElementById(id);
const KEPT = 120;
const TOAST_MS = 9000;

export class Chat {
  // onSend(text, name) returns whether it could be sent.
  constructor({ onSend }) {
    this.onSend = onSend;
    this.me = "";
    this.bubbles = new Map();
    this.answers = new Set();
    $("name").value = recall("name");
    $("name").addEventListener("change", () => remember("name", $("name").value.trim()));
    for (const form of document.querySelectorAll("form.composer")) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.submit(form.elements.text);
      });
    }
  }

  // Put a question into the box that is on the screen, and leave sending it to the shopper.
  draft(text) {
    const box = $("message").offsetParent ? $("message") : $("message-stage");
    box.value = text;
    box.focus();
    box.select();
  }

  submit(box) {
    const text = box.value.trim();
    if (!text) return;
    if (this.onSend(text, $("name").value.trim())) {
      box.value = "";
      this.notice("");
    } else {
      this.notice(strings.not_sent);
    }
  }

  restart(me, messages) {
    this.me = me;
    this.bubbles.clear();
    this.answers.clear();
    $("messages").replaceChildren();
    $("toasts").replaceChildren();
    if (!messages.length) {
      const hint = document.createElement("li");
      hint.className = "hint";
      hint.textContent = strings.chat_empty;
      $("messages").append(hint);
    }
    for (const message of messages) this.add(message, { quiet: true });
  }

  add(message, { quiet = false } = {}) {
    $("messages").querySelector(".hint")?.remove();
    if (message.viewer === "presenter") {
      this.presenterSays(message.name, message.text, message.speech_id);
      return;
    }
    const mine = message.viewer === this.me;
    const who = mine ? strings.you : message.name || strings.guest;
    const bubble = line(who, message.text, mine ? "mine" : "");
    this.bubbles.set(message.message_id, bubble);
    this.append($("messages"), bubble);
    if (!quiet) this.toast(line(who, message.text, mine ? "mine" : ""), message.message_id);
    for (const id of [...this.bubbles.keys()].slice(0, -KEPT)) this.bubbles.delete(id);
  }

  // The answer is on its way, is being said, was said.
  mark(messageId, state, text) {
    const toast = [...$("toasts").children].find((t) => t.dataset.message === messageId);
    for (const bubble of [this.bubbles.get(messageId), toast]) {
      if (bubble) annotate(bubble, state, text);
    }
    this.follow($("messages"));
  }

  // An answer, once, whoever tells of it first.
  presenterSays(name, text, speechId) {
    if (this.answers.has(speechId)) return;
    this.answers.add(speechId);
    const shown = text.replace(/<[^<>]*\/>/g, " ").replace(/\s+/g, " ").trim();
    this.append($("messages"), line(name, shown, "presenter"));
  }

  isMine(messageId) {
    return this.bubbles.get(messageId)?.classList.contains("mine") ?? false;
  }

  nameOf(messageId) {
    return this.bubbles.get(messageId)?.dataset.who ?? "";
  }

  notice(text) {
    $("notice").textContent = text;
    if (text) this.toast(line("", text, "notice"));
  }

  toast(item, messageId = "") {
    const toasts = $("toasts");
    item.dataset.message = messageId;
    toasts.append(item);
    while (toasts.children.length > 3) toasts.firstElementChild.remove();
    setTimeout(() => item.classList.add("gone"), TOAST_MS);
    setTimeout(() => item.remove(), TOAST_MS + 600);
  }

  append(list, item) {
    const wasAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
    list.append(item);
    while (list.children.length > KEPT) list.firstElementChild.remove();
    if (wasAtEnd) this.follow(list);
  }

  follow(list) {
    list.scrollTop = list.scrollHeight;
  }
}

function line(who, text, kind) {
  const item = document.createElement("li");
  item.className = `message ${kind}`.trim();
  item.dataset.who = who;
  if (who) {
    const name = document.createElement("b");
    name.textContent = who;
    item.append(name);
  }
  const body = document.createElement("span");
  body.className = "body";
  body.textContent = text;
  item.append(body);
  return item;
}

function annotate(bubble, state, text) {
  let note = bubble.querySelector(".note");
  if (!note) {
    note = document.createElement("span");
    note.className = "note";
    bubble.append(note);
  }
  note.textContent = text;
  bubble.dataset.answer = state;
}

function recall(key) {
  try {
    return localStorage.getItem(`livepitch.${key}`) ?? "";
  } catch {
    return ""; // storage may be forbidden; the page works without
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(`livepitch.${key}`, value);
  } catch {
    // nothing to do: see recall
  }
}
