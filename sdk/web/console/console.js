// The seller's console: signs in, joins the news, shows one tab at a time.
import { Socket } from "../static/socket.js";
import { api, get, hasToken, useToken, whenRefused } from "./api.js";
import { Chats } from "./chats.js";
import { h } from "./dom.js";
import { Drive } from "./drive.js";
import { Now } from "./now.js";
import { Orders } from "./orders.js";
import { Sales } from "./sales.js";

const $ = (id) => document.getElementById(id);
const TITLES = { now: "Now", sales: "Sales", orders: "Orders", chats: "Chats", drive: "Drive" };
const desk = { about: null, news: null, connection: () => {}, picture, statement };

// -- signing in -----------------------------------------------------------------------------------

function signIn(wrong = "") {
  $("signin-wrong").textContent = wrong;
  if (!$("signin").open) $("signin").showModal();
  $("token").focus();
}

$("signin").addEventListener("cancel", (event) => event.preventDefault());
$("signin-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useToken($("token").value.trim());
  begin();
});

async function begin() {
  try {
    desk.about = await get(api(""));
  } catch (error) {
    // Asked before anybody could have typed a token: that is no mistake of theirs.
    return signIn(hasToken() ? error.message : "");
  }
  $("signin").close();
  $("token").value = "";
  whenRefused(() => signIn("The token is not accepted any more."));
  start();
}

// -- the page --------------------------------------------------------------------------------------

const tabs = {};
let open = null;

function start() {
  if (desk.news) return;
  const { about } = desk;
  $("presenter").textContent = about.presenter || "Console";
  $("test-mode").hidden = !about.is_test;
  if (about.ticket) $("viewer-link").href = `./?ticket=${encodeURIComponent(about.ticket)}`;
  const address = new URL(`ws/${encodeURIComponent(about.session)}`, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  if (about.ticket) address.searchParams.set("ticket", about.ticket);
  const states = { news: "connecting", picture: "connecting" };
  desk.connection = (what, state) => {
    states[what] = state === "connecting" && states[what] === "lost" ? "lost" : state;
    const all = Object.values(states);
    const now = all.includes("lost") ? "lost" : all.every((one) => one === "connected") ? "live" : "connecting";
    $("connection").dataset.state = now;
    $("connection-text").textContent = { live: "Live", lost: "Reconnecting", connecting: "Connecting" }[now];
  };
  desk.news = new Socket(address);
  desk.news.addEventListener("news", ({ detail }) => detail.type === "welcome" && desk.connection("news", "connected"));
  desk.news.addEventListener("lost", () => desk.connection("news", "lost"));
  tabs.now = new Now(desk);
  tabs.sales = new Sales(desk);
  tabs.orders = new Orders(desk);
  tabs.chats = new Chats(desk);
  tabs.drive = new Drive(desk, tabs.now.video);
  for (const [name, tab] of Object.entries(tabs)) {
    tab.section = h("section.tab", { id: `tab-${name}`, hidden: true, "aria-labelledby": `title-${name}` },
      h("h1", { id: `title-${name}`, tabindex: "-1" }, TITLES[name]), tab.root);
    $("main").append(tab.section);
  }
  addEventListener("hashchange", () => turn({ byHand: true }));
  document.addEventListener("visibilitychange", () => (document.hidden ? open?.close() : open?.open()));
  turn({ byHand: false });
}

function turn({ byHand }) {
  const name = location.hash.slice(1).split("/")[0];
  if (name === "main") return;
  const next = tabs[name] ?? tabs.now;
  if (next === open) return;
  open?.close();
  for (const tab of Object.values(tabs)) tab.section.hidden = tab !== next;
  open = next;
  const current = Object.keys(tabs).find((one) => tabs[one] === next);
  for (const link of document.querySelectorAll(".tabs a")) {
    if (link.hash === `#${current}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${TITLES[current]} – seller's console`;
  next.open();
  scrollTo(0, 0);
  if (byHand) $(`title-${current}`).focus();
}

// Another tab asks for an order's statement.
function statement(order) {
  location.hash = "sales";
  tabs.sales.show(order);
}

// Our own pictures are behind a ticket; foreign servers must not see it.
function picture(address) {
  if (!address) return null;
  if (!address.startsWith("/")) return address;
  const ticket = desk.about.ticket ? `?ticket=${encodeURIComponent(desk.about.ticket)}` : "";
  return `.${address}${ticket}`;
}

begin();
