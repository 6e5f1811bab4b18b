// What was answered: on the desk, changed since, and on its way there.

import { Outbox } from "/desk.js";

const DRAFT_AFTER = 250;

/** The items that the desk sent, with one reviewer's answers to them. */
export class Answers {
  items = new Map(); // as the desk told them, and as they were answered since, by id
  reviewer = "";
  #edits = new Map(); // what was changed and not submitted yet, by id
  #draft = null; // what will be saved soon
  #outbox;

  constructor(on) {
    this.#outbox = new Outbox(on);
  }

  /** Settles when the desk has everything. */
  settled() {
    this.saveDraft();
    return this.#outbox.settled();
  }

  of(item) {
    return this.#edits.get(item.id) ?? item.draft ?? item.values;
  }

  change(kind, item, name, value) {
    this.#edits.set(item.id, { ...this.of(item), [name]: value });
    clearTimeout(this.#draft?.timer);
    this.#draft = { kind, id: item.id, timer: setTimeout(() => this.saveDraft(), DRAFT_AFTER) };
  }

  saveDraft() {
    const draft = this.#draft;
    this.#draft = null;
    clearTimeout(draft?.timer);
    if (draft && this.#edits.has(draft.id)) this.#send(draft.kind, draft.id, "draft", this.#edits.get(draft.id));
  }

  give(kind, item, status) {
    clearTimeout(this.#draft?.timer);
    this.#draft = null;
    const values = Object.fromEntries(Object.entries(this.of(item)).filter(([, value]) => value.trim()));
    Object.assign(item, { status, values, draft: null });
    this.#edits.delete(item.id);
    this.#send(kind, item.id, status, values);
  }

  forget(id) {
    this.items.delete(id);
    this.#edits.delete(id);
  }

  forgetAll() {
    this.items.clear();
    this.#edits.clear();
  }

  #send(kind, item, status, values) {
    // Half a character, which a browser may hold and no desk can keep, is replaced.
    const whole = Object.entries(values).map(([name, value]) => [name, value.toWellFormed?.() ?? value]);
    this.#outbox.put({ kind, item, reviewer: this.reviewer, status, values: Object.fromEntries(whole) });
  }
}
