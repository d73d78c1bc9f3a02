// News arrives a little before the sound it belongs to: it waits here as long as the sound waits in
// the browser's buffer, in order, so that caption, card and voice turn together.
export class Playout {
  constructor() {
    this.delay = 0.1; // seconds
    this.waiting = [];
    this.lastDue = 0;
  }

  // topic: what `drop` may name.
  later(action, topic = "") {
    const now = performance.now();
    this.lastDue = Math.max(this.lastDue, now + this.delay * 1000);
    this.waiting.push({ due: this.lastDue, action, topic });
    setTimeout(() => this.turn(), this.lastDue - now);
  }

  // What is still waiting about a topic, or about anything, will not happen.
  drop(topic) {
    this.waiting = topic ? this.waiting.filter((entry) => entry.topic !== topic) : [];
  }

  turn() {
    // Timers fire a millisecond early or late; what belongs together shares one turn.
    const now = performance.now() + 4;
    while (this.waiting.length && this.waiting[0].due <= now) this.waiting.shift().action();
  }
}
