// Every word the page shows by itself. Another language is another table.
const ENGLISH = {
  ai_presenter: "AI presenter",
  answered: "Answered",
  answering_you: "Answering you now",
  answering: (name) => (name ? `Answering ${name}` : "Answering a viewer"),
  answer_next: "Your answer comes next",
  ask: "Ask",
  ask_about: (title) => `Tell me more about the ${title}`,
  busy: "Many questions right now – please ask again in a moment",
  buy: "Buy now",
  buy_failed: "The till does not answer – nothing was charged",
  buy_later: "Checkout not open yet",
  buying: "One moment …",
  chat_close: "Close the chat",
  chat_empty: "Ask about a product and the presenter answers you live.",
  chat_open: "Open the chat",
  chat_placeholder: "Ask about a product …",
  chat_title: "Chat",
  flash: (seconds, left) => `Flash price · ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} · ${left} left`,
  from_chat: "From your chat · see what is live",
  guest: "Guest",
  in_stock: "In stock",
  left: (n) => (n === 1 ? "Last one" : `${n} left`),
  just_sold_out: "Somebody was faster: it is sold out",
  live: "Live",
  connecting: "Connecting",
  reconnecting: "Reconnecting",
  ended: "Show ended",
  mute: "Mute",
  name_placeholder: "optional",
  no_products: "Nothing on the shelf yet.",
  not_sent: "Not connected – your message was not sent.",
  now_showing: "Now showing",
  off: (percent) => `−${percent} %`,
  presenter: "Your host",
  refused: "You may not watch this show; ask the seller for a new link.",
  send: "Send",
  shelf_close: "Close the products",
  shelf_open: "Show all products",
  shelf_title: "In this show",
  slow_down: "One moment – you are writing very fast.",
  sold_out: "Sold out",
  tap_for_sound: "Tap for sound",
  test_mode: "TEST MODE – no real money",
  unmute: "Unmute",
  view: "View",
  you: "You",
  your_name: "Your name",
};

export const strings = ENGLISH;

// Fills the document's fixed texts, labels and placeholders.
export function fillStrings(root) {
  for (const el of root.querySelectorAll("[data-string]")) el.textContent = strings[el.dataset.string];
  for (const el of root.querySelectorAll("[data-placeholder]")) el.placeholder = strings[el.dataset.placeholder];
  for (const el of root.querySelectorAll("[data-label]")) {
    el.setAttribute("aria-label", strings[el.dataset.label]);
    el.title = strings[el.dataset.label];
  }
}
