// Captions in time with speech: the line that is being said, the current word emphasised.
const LINE = 58; // characters on the screen at once; a longer sentence turns pages
const LAST_LINE_MS = 1400;

export class Captions {
  constructor(visible, live) {
    this.visible = visible;
    this.live = live;
    this.clear();
  }

  // A sentence begins. { sentence_id, text }
  begin(sentence) {
    clearTimeout(this.timer);
    this.id = sentence.sentence_id;
    this.words = wordsOf(sentence.text);
    this.page = -1;
    this.live.textContent = sentence.text.replace(/\s+/g, " ").trim();
    this.show(0, -1);
  }

  // A word of it sounds. { sentence_id, start, end }
  word(span) {
    if (span.sentence_id !== this.id) return;
    const index = this.words.findIndex((w) => w.end > span.start);
    if (index >= 0) this.show(this.words[index].page, index);
  }

  // The last line stays a moment.
  end() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.clear(), LAST_LINE_MS);
  }

  clear() {
    clearTimeout(this.timer);
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
