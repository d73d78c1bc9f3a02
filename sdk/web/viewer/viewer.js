// The viewer page: joins the picture, the news, the captions, the products and the chat.
import { Captions } from "./captions.js";
import { Chat } from "./chat.js";
import { Playout } from "./playout.js";
import { Products, withTicket } from "./products.js";
import { Socket } from "./socket.js";
import { fillStrings, strings } from "./strings.js";
import { Till } from "./till.js";
import { WhepPlayer } from "./whep.js";

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const session = query.get("session") ?? "main";
const ticket = query.get("ticket") ?? "";

fillStrings(document);
const show = document.querySelector(".show");
const video = $("video");
const playout = new Playout();
const captions = new Captions($("caption"), $("caption-live"));
const whepUrl = `whep/${encodeURIComponent(session)}`;
const player = new WhepPlayer(video, whepUrl, ticket);
const chat = new Chat({ onSend: (text, name) => socket.send({ type: "chat", text, name }) });
const products = new Products({
  onAsk: (product) => {
    closePanels();
    chat.draft(strings.ask_about(product.title));
  },
  onBuy: async (product) => {
    try {
      await till.buy(product.sku);
    } catch (error) {
      const isOurs = error.constructor === Error && error.message;
      chat.notice(isOurs ? error.message : strings.buy_failed);
      till.ask();
    }
  },
});
const till = new Till({ session, onChange: () => products.tillChanged(till) });
const socketUrl = new URL(`ws/${encodeURIComponent(session)}`, location.href);
socketUrl.protocol = socketUrl.protocol.replace("http", "ws");
if (ticket) socketUrl.searchParams.set("ticket", ticket);
let boot = null;
let presenter = strings.presenter;

// -- the connection's state ----------------------------------------------------------------------

const state = { media: "connecting", news: "connecting" };

function showConnection() {
  const both = [state.media, state.news];
  let now = "live";
  if (both.includes("refused")) now = "refused";
  else if (both.includes("ended")) now = "ended";
  else if (both.includes("lost")) now = "reconnecting";
  else if (state.media !== "connected") now = player.hasPicture ? "reconnecting" : "connecting";
  if (show.dataset.connection === now) return;
  show.dataset.connection = now;
  $("live-text").textContent = now === "refused" ? strings.ended : strings[now];
  if (now === "refused") chat.notice(strings.refused);
}

player.addEventListener("state", ({ detail }) => {
  // A failed attempt and the next one look alike to a shopper: still reconnecting.
  state.media = detail === "connecting" && state.media === "lost" ? "lost" : detail;
  showConnection();
  if (detail === "lost") socket.retryNow();
});
player.addEventListener("picture", () => $("curtain").classList.add("open"));

// -- the news ------------------------------------------------------------------------------------

// What belongs to the voice happens when the voice is heard.
const withVoice = (act, topic) => (event) => playout.later(() => act(event), topic);

const heard = {
  welcome({ viewer, data }) {
    state.news = "connected";
    if (boot !== data.boot) {
      if (boot !== null) player.start(); // another process: it does not know this connection
      boot = data.boot;
    }
    presenter = data.presenter || strings.presenter;
    document.title = `${presenter} – ${strings.live}`;
    $("host-name").textContent = presenter;
    showFace(data.portrait);
    chat.restart(viewer, data.messages);
    products.setAll(data.products, data.pinned, data.product_count);
    products.show(query.get("product"), findProduct);
    playout.drop();
    captions.clear();
    if (data.caption) captions.begin(data.caption);
    showConnection();
  },
  "session.state_changed"({ data }) {
    if (data.state === "disconnecting") {
      state.news = "lost";
      showConnection();
    }
  },
  "avatar.speak_started": withVoice(({ data }) => {
    for (const id of data.message_ids) markAnswering(id);
    if (data.message_ids.length) chat.presenterSays(presenter, data.text, data.speech_id);
  }),
  "avatar.transcription": withVoice(({ data }) => captions.begin(data), "caption"),
  "avatar.word": withVoice(({ data }) => captions.word(data), "caption"),
  "avatar.speak_ended"({ data }) {
    if (data.interrupted) fallSilent();
    else playout.later(() => captions.end(), "caption");
  },
  "avatar.interrupted": fallSilent,
  "product.pinned": withVoice(({ data }) => products.pin(data.product)),
  "product.changed": withVoice(({ data }) => products.change(data.product)),
  "chat.message": ({ data }) => chat.add(data),
  "chat.question"({ data }) {
    if (data.state === "busy" && chat.isMine(data.message_id)) chat.notice(strings.busy);
    else if (data.state === "speaking") markAnswering(data.message_id);
    else if (chat.isMine(data.message_id)) chat.mark(data.message_id, "next", strings.answer_next);
  },
  "chat.answered": withVoice(({ data }) => {
    chat.mark(data.message_id, "done", data.interrupted ? "" : strings.answered);
    // Who joined in the middle of the answer has not seen it begin.
    if (!data.interrupted) chat.presenterSays(presenter, data.text, data.speech_id);
  }),
  "chat.refused": () => chat.notice(strings.slow_down),
};

async function findProduct(sku) {
  const address = `api/sessions/${encodeURIComponent(session)}/products?sku=${encodeURIComponent(sku)}`;
  const headers = ticket ? { Authorization: `Bearer ${ticket}` } : {};
  const answer = await fetch(address, { headers });
  return answer.ok ? (await answer.json()).products[0] : null;
}

// An interruption leaves nothing on the page that was never heard.
function fallSilent() {
  playout.drop("caption");
  captions.clear();
}

function markAnswering(id) {
  chat.mark(id, "now", chat.isMine(id) ? strings.answering_you : strings.answering(chat.nameOf(id)));
}

function showFace(address) {
  const face = $("host-face");
  face.textContent = [...presenter][0].toUpperCase();
  if (!address) return;
  const image = document.createElement("img");
  image.alt = "";
  image.addEventListener("load", () => face.replaceChildren(image), { once: true });
  image.src = withTicket(address);
}

const socket = new Socket(socketUrl);
socket.addEventListener("news", ({ detail }) => heard[detail.type]?.(detail));
socket.addEventListener("lost", ({ detail }) => {
  state.news = detail.refused ? "refused" : "lost";
  fallSilent();
  showConnection();
});
addEventListener("online", () => socket.retryNow());
setInterval(async () => (playout.delay = await player.playoutDelay()), 3000);

// -- sound ---------------------------------------------------------------------------------------

function setMuted(muted) {
  video.muted = muted;
  video.play().catch(() => {});
  $("mute").setAttribute("aria-pressed", String(muted));
  const label = muted ? strings.unmute : strings.mute;
  $("mute").setAttribute("aria-label", label);
  $("mute").title = label;
  $("unmute").hidden = !muted || unmuteDismissed;
}

let unmuteDismissed = false;
$("unmute").addEventListener("click", () => setMuted(false));
$("mute").addEventListener("click", () => {
  unmuteDismissed = true;
  setMuted(!video.muted);
});
setMuted(true);

// -- panels and keys -----------------------------------------------------------------------------

function openPanel(name, open) {
  show.classList.toggle(`${name}-is-open`, open);
  $(`${name}-open`).setAttribute("aria-expanded", String(open));
  if (open) $(`${name}-close`).focus();
}

function closePanels() {
  for (const name of ["shelf", "chat"]) {
    if (show.classList.contains(`${name}-is-open`)) {
      openPanel(name, false);
      $(`${name}-open`).focus();
    }
  }
}

for (const name of ["shelf", "chat"]) {
  $(`${name}-open`).addEventListener("click", () => {
    const open = !show.classList.contains(`${name}-is-open`);
    closePanels();
    openPanel(name, open);
  });
  $(`${name}-close`).addEventListener("click", closePanels);
}
video.addEventListener("click", closePanels);
addEventListener("keydown", (event) => {
  if (event.target.matches("input")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "Escape") closePanels();
  else if (event.key === "m") $("mute").click();
});
addEventListener("pagehide", () => player.release());

player.start();
