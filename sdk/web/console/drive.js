// The tab "Drive": this device's camera moves the avatar's face.
import { api, get, headers, post } from "./api.js";
import { doing } from "./ask.js";
import { button, card, h } from "./dom.js";

const GATHERING_MS = 1000;

export class Drive {
  constructor(desk, live) {
    this.desk = desk;
    this.live = live;
    this.self = h("video.mirror", { autoplay: true, playsinline: true, muted: true, "aria-label": "Your camera" });
    this.self.muted = true;
    this.avatar = h("video", { autoplay: true, playsinline: true, muted: true, "aria-label": "The avatar" });
    this.avatar.muted = true;
    this.state = h("p.drive-state", { role: "status" }, "The camera is off.");
    this.toggle = button("Start the camera", () => (this.peer ? this.stop() : this.start()), "primary");
    this.calibrate = button("Calibrate", () => this.rest());
    this.calibrate.disabled = true;
    this.root = h("div.drive",
      card("You", h("div.picture", this.self), this.state, h("div.row", this.toggle, this.calibrate)),
      card("The avatar", h("div.picture", this.avatar)),
      card("How it works", h("ul.plain",
        h("li", "Your head, eyes, brows and lips move the avatar's. Its shape stays its own."),
        h("li", "Look straight into the camera with a quiet face, then press Calibrate."),
        h("li", "A line that is spoken meanwhile keeps its own mouth."),
        h("li", "The picture goes to this server only, is tracked, and is not kept. Sound is not sent."))));
    desk.news.addEventListener("news", ({ detail }) => this.heard[detail.type]?.());
  }

  heard = {
    "drive.started": () => this.tell("looking", "The camera is on; looking for a face…"),
    "drive.face_found": () => this.tell("found", "Face found: you drive the avatar."),
    "drive.face_lost": () => this.tell("lost", "Face lost: the avatar holds, then rests."),
    "drive.ended": () => this.tell("off", "The camera is off."),
  };

  tell(state, text) {
    this.state.textContent = text;
    this.state.dataset.state = state;
    this.calibrate.disabled = state !== "found" && state !== "looking";
  }

  async start() {
    this.toggle.disabled = true;
    this.tell("looking", "Asking for the camera…");
    try {
      if (!navigator.mediaDevices) throw new Error("This address has no camera: open the console over https or on this machine.");
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480, frameRate: 25 }, audio: false });
      this.self.srcObject = this.stream;
      await this.connect();
      this.toggle.textContent = "Stop the camera";
      this.toggle.className = "danger";
    } catch (error) {
      await this.stop();
      const text = error.name === "NotAllowedError" ? "The browser was told not to give the camera; allow it for this page."
        : error.name === "NotFoundError" ? "No camera was found." : error.message;
      this.tell("off", text);
    } finally {
      this.toggle.disabled = false;
    }
  }

  async connect() {
    const peer = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    this.peer = peer;
    for (const track of this.stream.getVideoTracks()) {
      peer.addTransceiver(track, { direction: "sendonly", streams: [this.stream] });
      track.addEventListener("ended", () => this.stop());
    }
    peer.addEventListener("connectionstatechange", () => {
      if (["failed", "closed"].includes(peer.connectionState) && peer === this.peer) this.stop();
    });
    await peer.setLocalDescription();
    await gathered(peer);
    const path = `whip/${encodeURIComponent(this.desk.about.session)}`;
    const answer = await fetch(path, { method: "POST", headers: headers({ "Content-Type": "application/sdp" }), body: peer.localDescription.sdp });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    this.location = new URL(answer.headers.get("Location"), answer.url).href;
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  }

  async stop() {
    const { peer, location, stream } = this;
    this.peer = this.location = this.stream = null;
    if (location) await fetch(location, { method: "DELETE", headers: headers(), keepalive: true }).catch(() => {});
    peer?.close();
    for (const track of stream?.getTracks() ?? []) track.stop();
    this.self.srcObject = null;
    this.toggle.textContent = "Start the camera";
    this.toggle.className = "primary";
    this.tell("off", "The camera is off.");
  }

  rest() {
    const path = `api/sessions/${encodeURIComponent(this.desk.about.session)}/drive/calibrate`;
    doing(() => post(path), "This is your face at rest.");
  }

  async open() {
    this.avatar.srcObject = this.live.srcObject;
    this.timer = setInterval(() => {
      if (this.avatar.srcObject !== this.live.srcObject) this.avatar.srcObject = this.live.srcObject;
    }, 1000);
    try {
      const { driver } = await get(api("/show"));
      if (driver.is_active && !this.peer) this.tell(driver.is_following ? "found" : "lost", "Another camera drives the avatar now; starting yours takes its place.");
    } catch {
      // the header says that the server is gone
    }
  }

  // The camera goes on while other tabs are open; only the picture here rests.
  close() {
    clearInterval(this.timer);
    this.avatar.srcObject = null;
  }
}

function gathered(peer) {
  return new Promise((resolve) => {
    if (peer.iceGatheringState === "complete") return resolve();
    peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && resolve());
    setTimeout(resolve, GATHERING_MS);
  });
}
