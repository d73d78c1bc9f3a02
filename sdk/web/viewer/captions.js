// Captions in time with speech: the line that is being said, the current word emphasised.
const LINE = 58; // characters on the screen at once; a longer sentence turns pages

export class Captions {
  constructor(visible, live) {
    this.visible = visible;
    this.live = live;
    this.delay = 0.1;
    this.timers = new Set();
    this.clear();
  }

  // A sentence begins. { sentence_id, text }
  begin(sentence) {
    this.later(() => {
      this.id = sentence.sentence_id;
      this.words = wordsOf(sentence.text);
      this.page = -1;
      this.live.textContent = sentence.text.replace(/\s+/g, " ").trim();
      this.show(0, -1);
    });
  }

  // A word of it sounds. { sentence_id, start, end }
  word(span) {
    this.later(() => {
      if (span.sentence_id !== this.id) return;
      const index = this.words.findIndex((w) => w.end > span.start);
      if (index >= 0) this.show(this.words[index].page, index);
    });
  }

  end() {
    this.later(() => {
      const id = this.id;
      const timer = setTimeout(() => id === this.id && this.clear(), 1400);
      this.timers.add(timer);
    });
  }

  // Silence now: an interruption leaves nothing that was never heard on the page.
  cut() {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.clear();
  }

  clear() {
    this.id = 0;
    this.words = [];
    this.page = -1;
    this.visible.replaceChildren();
    this.visible.classList.remove("on");
  }

  show(page, current) {
    if (page !== this.page) {
      this.page = page;
      const spans = this.words.filter((w) => w.page === page).map((w) => {
        const span = document.createElement("span");
        span.textContent = w.text;
        w.span = span;
        return span;
      });
      this.visible.replaceChildren(...spans.flatMap((s) => [s, " "]));
      this.visible.classList.add("on");
    }
    this.words.forEach((w, i) => {
      w.span?.classList.toggle("now", i === current);
      w.span?.classList.toggle("said", i < current);
    });
  }

  later(action) {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      action();
    }, this.delay * 1000);
    this.timers.add(timer);
  }
}

// Words with their spans, and the page each is on: pages are of even length and end at a comma
// where one is near.
function wordsOf(text) {
  const words = [...text.matchAll(/\S+/g)].map((m) => ({ text: m[0], start: m.index, end: m.index + m[0].length }));
  const pages = Math.max(1, Math.ceil(text.trim().length / LINE));
  const wanted = text.length / pages;
  let page = 0;
  let begin = 0;
  for (const word of words) {
    const length = word.end - begin;
    if (length > Math.min(LINE, wanted + 10) && word.start > begin) {
      page += 1;
      begin = word.start;
    }
    word.page = page;
    if (/[,;:–]$/.test(word.text) && length > wanted * 0.75 && page < pages - 1) {
      page += 1;
      begin = word.end + 1;
    }
  }
  return words;
}
