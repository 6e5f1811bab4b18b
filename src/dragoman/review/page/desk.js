// The way to the desk and back. An answer waits here until the desk has it: a stopped server costs nothing.

const PREFIX = "dragoman.review.";
const TIMEOUT = 30000;

export function remembered(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing still shows the page.
  }
}

/** The desk said no, and would say so again. */
export class Refused extends Error {}

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { signal: AbortSignal.timeout(TIMEOUT), credentials: "omit", ...options });
  } catch {
    throw new Error("The desk does not answer. Is “dragoman review serve” still running?");
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const said = body.error ?? `The desk answered ${response.status}.`;
  throw response.status < 500 ? new Refused(said) : new Error(said);
}

export function read(path, query = {}) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) words.append(name, one);
  }
  return call(`${path}?${words}`);
}

export function write(path, body) {
  const text = JSON.stringify(body);
  // A page that is closed still delivers, up to what browsers allow.
  return call(path, { method: "POST", body: text, keepalive: text.length < 15000, headers: { "content-type": "application/json" } });
}

const pause = (time) => new Promise((done) => setTimeout(done, time));

/** Answers on their way, in order, one at a time; kept in the browser until the desk has them. */
export class Outbox {
  #waiting = remembered("outbox", []);
  #running = null;
  #on;

  constructor(on) {
    this.#on = on;
    if (this.#waiting.length) this.#start();
  }

  put(answer) {
    const last = this.#waiting.at(-1);
    const mayReplace = this.#waiting.length > 1 || !this.#running;
    if (mayReplace && last?.status === "draft" && last.item === answer.item && last.reviewer === answer.reviewer) {
      this.#waiting.pop();
    }
    this.#waiting.push(answer);
    this.#keep();
    this.#start();
  }

  /** Settles when nothing waits any more. */
  async settled() {
    while (this.#running) await this.#running;
  }

  #start() {
    this.#running ??= this.#deliver().finally(() => {
      this.#running = null;
    });
  }

  async #deliver() {
    let delay = 400;
    while (this.#waiting.length) {
      const first = this.#waiting[0];
      try {
        const figures = await write("/api/respond", first);
        this.#waiting.shift();
        this.#keep();
        delay = 400;
        this.#on.saved(first, figures, this.#waiting.length);
      } catch (error) {
        if (error instanceof Refused) {
          this.#waiting.shift();
          this.#keep();
          this.#on.refused(first, error.message);
        } else {
          this.#on.trouble(error.message, this.#waiting.length);
          await pause(delay);
          delay = Math.min(delay * 2, 4000);
        }
      }
    }
  }

  #keep() {
    remember("outbox", this.#waiting);
  }
}
