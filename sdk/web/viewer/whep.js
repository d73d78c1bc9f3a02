// The picture and the sound, over WHEP: offer, answer, watch the connection, come back by itself.
import { Backoff } from "./backoff.js";

const GATHERING_MS = 1000;
const GRACE_MS = 2500; // a "disconnected" connection often mends itself
const FROZEN_MS = 4000; // connected, yet no picture

export class WhepPlayer extends EventTarget {
  constructor(video, url, ticket) {
    super();
    this.video = video;
    this.url = url;
    this.ticket = ticket;
    this.backoff = new Backoff();
    this.attempt = 0;
    this.lastFrame = 0;
    this.watchFrames();
    setInterval(() => this.checkFrozen(), 1000);
  }

  // Connect, or connect anew.
  async start() {
    const attempt = ++this.attempt;
    clearTimeout(this.timer);
    this.release();
    this.tell("connecting");
    const peer = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    this.peer = peer;
    try {
      await this.negotiate(peer, attempt);
    } catch (error) {
      if (attempt === this.attempt) this.retry(error.status === 401 || error.status === 403 ? "refused" : "lost");
    }
  }

  async negotiate(peer, attempt) {
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.addTransceiver("audio", { direction: "recvonly" });
    const stream = new MediaStream();
    peer.addEventListener("track", ({ track }) => {
      stream.addTrack(track);
      if (this.video.srcObject !== stream) this.video.srcObject = stream;
      this.video.play().catch(() => {}); // muted autoplay may still be refused; the button plays
    });
    peer.addEventListener("connectionstatechange", () => this.judge(peer, attempt));
    await peer.setLocalDescription();
    await gathered(peer);
    const reply = await fetch(this.url, {
      method: "POST",
      headers: this.headers({ "Content-Type": "application/sdp" }),
      body: peer.localDescription.sdp,
    });
    if (!reply.ok) throw Object.assign(new Error(await reply.text()), { status: reply.status });
    const sdp = await reply.text();
    const location = reply.headers.get("Location");
    if (attempt !== this.attempt) {
      this.forget(location);
      return;
    }
    this.location = location;
    await peer.setRemoteDescription({ type: "answer", sdp });
  }

  headers(more) {
    return this.ticket ? { ...more, Authorization: `Bearer ${this.ticket}` } : more;
  }

  judge(peer, attempt) {
    if (attempt !== this.attempt) return;
    clearTimeout(this.grace);
    const state = peer.connectionState;
    if (state === "connected") {
      this.backoff.reset();
      this.lastFrame = performance.now();
      this.tell("connected");
    } else if (state === "disconnected") {
      this.grace = setTimeout(() => this.retry("lost"), GRACE_MS);
    } else if (state === "failed" || state === "closed") {
      this.retry("lost");
    }
  }

  retry(why) {
    clearTimeout(this.timer);
    this.tell(why);
    if (why !== "refused") this.timer = setTimeout(() => this.start(), this.backoff.next());
  }

  release() {
    clearTimeout(this.grace);
    this.peer?.close();
    if (this.location) this.forget(this.location);
    this.location = null;
  }

  forget(location) {
    if (location) {
      fetch(location, { method: "DELETE", headers: this.headers({}), keepalive: true }).catch(() => {});
    }
  }

  // Seconds between a sound's arrival and the moment it is heard, so that captions wait as long.
  async playoutDelay() {
    const peer = this.peer;
    if (peer?.connectionState !== "connected") return 0.1;
    for (const report of (await peer.getStats()).values()) {
      if (report.type === "inbound-rtp" && report.kind === "audio") {
        const [delay, count] = [report.jitterBufferDelay ?? 0, report.jitterBufferEmittedCount ?? 0];
        const [oldDelay, oldCount] = this.buffered ?? [0, 0];
        this.buffered = [delay, count];
        if (count > oldCount) return Math.min(0.6, (delay - oldDelay) / (count - oldCount));
      }
    }
    return 0.1;
  }

  watchFrames() {
    const seen = () => {
      this.lastFrame = performance.now();
      if (!this.hasPicture) {
        this.hasPicture = true;
        this.dispatchEvent(new Event("picture"));
      }
      this.video.requestVideoFrameCallback?.(seen);
    };
    this.video.requestVideoFrameCallback?.(seen);
  }

  checkFrozen() {
    const connected = this.peer?.connectionState === "connected";
    const visible = document.visibilityState === "visible";
    if (!visible) this.lastFrame = performance.now();
    else if (connected && this.video.requestVideoFrameCallback && performance.now() - this.lastFrame > FROZEN_MS) {
      this.retry("lost");
    }
  }

  tell(state) {
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}

function gathered(peer) {
  return new Promise((resolve) => {
    if (peer.iceGatheringState === "complete") resolve();
    const done = () => peer.iceGatheringState === "complete" && resolve();
    peer.addEventListener("icegatheringstatechange", done);
    setTimeout(resolve, GATHERING_MS);
  });
}
