// The session's news and the chat, over one WebSocket that comes back by itself.
import { Backoff } from "./backoff.js";

const PING_MS = 10_000;
const SILENCE_MS = 25_000;

export class Socket extends EventTarget {
  constructor(url) {
    super();
    this.url = url;
    this.backoff = new Backoff();
    this.connect();
  }

  get isOpen() {
    return this.ws.readyState === WebSocket.OPEN;
  }

  // False when it cannot be sent now.
  send(message) {
    if (!this.isOpen) return false;
    this.ws.send(JSON.stringify({ v: 1, ...message }));
    return true;
  }

  // Try now, because something else shows that the server is back or the network changed.
  retryNow() {
    if (this.timer) {
      clearTimeout(this.timer);
      this.timer = 0;
      this.connect();
    }
  }

  connect() {
    this.timer = 0;
    const ws = new WebSocket(this.url);
    this.ws = ws;
    this.lastHeard = Date.now();
    const pulse = setInterval(() => {
      if (Date.now() - this.lastHeard > SILENCE_MS) ws.close();
      else this.send({ type: "ping" });
    }, PING_MS);
    ws.addEventListener("message", ({ data }) => {
      this.lastHeard = Date.now();
      this.backoff.reset();
      const event = JSON.parse(data);
      if (event.v === 1) this.dispatchEvent(new CustomEvent("news", { detail: event }));
    });
    ws.addEventListener("close", ({ code }) => {
      clearInterval(pulse);
      this.dispatchEvent(new CustomEvent("lost", { detail: { refused: code === 4403 } }));
      if (code !== 4403) this.timer = setTimeout(() => this.connect(), this.backoff.next());
    });
  }
}
