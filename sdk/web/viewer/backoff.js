// Waiting times between attempts: short at first, never more than `most`, never in step with others.
export class Backoff {
  constructor({ first = 400, most = 5000 } = {}) {
    this.first = first;
    this.most = most;
    this.reset();
  }

  reset() {
    this.tries = 0;
  }

  next() {
    const wait = Math.min(this.most, this.first * 1.7 ** this.tries++);
    return wait * (0.75 + Math.random() * 0.5);
  }
}
