// The page: which item is on screen, what its reviewer answered, and the keys.

import { Answers } from "/answers.js";
import { read, Refused, remember, remembered, write } from "/desk.js";
import { doneCard, figuresOf, FILTERS, tabsOf } from "/frame.js";
import { asking, beginRewrite, grow, layoutOf, optionOf, reading, titled } from "/item.js";
import { askName, listen } from "/keys.js";

const AHEAD = 8;
const AT_ONCE = 20;
const $ = (id) => document.getElementById(id);

const state = { forms: [], kind: "", filter: "open", ids: [], at: 0, ask: 0, figures: {}, turn: 0, busy: false, wish: {} };

const form = () => state.forms.find((one) => one.kind === state.kind);
const item = () => answers.items.get(state.ids[state.at]);
const final = (one) => one?.status === "submitted" || one?.status === "discarded";
const say = (text) => ($("said").textContent = text);
const slot = () => `at.${answers.reviewer}.${state.kind}.${state.filter}`;

const answers = new Answers({
  saved(answer, figures, waiting) {
    trouble("");
    if (answer.reviewer !== answers.reviewer || waiting) return;
    state.figures[answer.kind] = figures;
    showFigures();
  },
  trouble: (text, waiting) => trouble(`${text} ${waiting === 1 ? "One answer is" : `${waiting} answers are`} kept here and sent again.`),
  async refused(answer, text) {
    trouble(text);
    if (answer.status === "draft") return;
    answers.forget(answer.item);
    await open(state.kind, state.filter);
  },
});

function trouble(text) {
  $("trouble").hidden = !text;
  $("trouble").textContent = text;
}

/** Show what a filter leaves of a kind, where the reviewer was. */
async function open(kind, filter) {
  leaveBox();
  const turn = ++state.turn;
  state.wish = { kind, filter };
  try {
    await answers.settled();
    const queue = await read("/api/queue", { kind, reviewer: answers.reviewer, which: filter });
    if (turn !== state.turn) return;
    if (filter === "disagreement") answers.items.clear();
    if (kind !== state.kind) answers.forgetAll();
    Object.assign(state, { kind, filter, ids: queue.ids, at: -1 });
    state.figures[kind] = queue.progress;
    const found = state.ids.indexOf(remembered(slot(), ""));
    remember(`open.${answers.reviewer}`, [kind, filter]);
    tabsOf(state, open);
    await show(Math.max(found, 0));
  } catch (error) {
    trouble(error.message);
  }
}

async function show(at) {
  leaveBox();
  answers.saveDraft();
  const turn = ++state.turn;
  const id = state.ids[at];
  if (id !== undefined && !answers.items.has(id)) {
    try {
      await fetchFrom(Math.max(0, at - 4));
    } catch (error) {
      return trouble(error.message);
    }
    if (turn !== state.turn) return;
    if (!answers.items.has(id)) {
      state.ids.splice(at, 1); // it left the desk meanwhile
      return show(Math.min(at, Math.max(0, state.ids.length - 1)));
    }
  }
  state.at = at;
  render();
  const next = state.ids.findIndex((other, index) => index > at && index <= at + AHEAD && !answers.items.has(other));
  if (next >= 0) fetchFrom(next).catch(() => {}); // it is asked for again when it is its turn
}

async function fetchFrom(first) {
  const { kind } = state;
  const { items, reviewer } = answers;
  const ids = state.ids.slice(first, first + AT_ONCE).filter((id) => !items.has(id));
  if (!ids.length) return;
  for (const one of await read("/api/items", { kind, reviewer, ids })) {
    if (kind === state.kind && reviewer === answers.reviewer && !items.has(one.id)) items.set(one.id, one);
  }
}

function render() {
  const one = item();
  showFigures();
  const work = $("work");
  work.dataset.kind = state.kind;
  work.className = one ? "" : "done";
  $("actions").hidden = !one;
  if (!one) {
    work.replaceChildren(allDone());
    return;
  }
  remember(slot(), one.id);
  const values = answers.of(one);
  work.replaceChildren(reading(one, form()), asking(one, form(), values, { mark, choose, type: change }));
  mark(Math.max(waiting(), 0));
  for (const box of work.querySelectorAll("textarea")) grow(box);
  work.focus({ preventScroll: true });
  if (scrollY > work.offsetTop) scrollTo(0, work.offsetTop); // on a phone, where the whole page scrolls
  say(`Item ${state.at + 1} of ${state.ids.length}`);
}

const left = (kind) => (state.figures[kind] ? state.figures[kind].total - state.figures[kind].done : 0);

function allDone() {
  const figures = state.figures[state.kind] ?? {};
  const more = state.forms.find((other) => other.kind !== state.kind && left(other.kind) > 0);
  const acts = [];
  if (state.filter !== "open") acts.push(["Back to the open ones", () => open(state.kind, "open")]);
  else if (more) acts.push([`On to the ${more.kind}`, () => open(more.kind, "open")]);
  return doneCard(state.filter, figures, acts, figures.mine ? undo : null);
}

function showFigures() {
  if (state.figures[state.kind]) figuresOf(state.figures[state.kind], state.at, state.ids.length);
}

function mark(index) {
  state.ask = index;
  document.querySelectorAll(".ask").forEach((box, number) => box.classList.toggle("marked", number === index));
}

function markNext(by) {
  if (!item()) return;
  mark(Math.min(Math.max(state.ask + by, 0), form().asks.length - 1));
  $(`ask-${state.ask}`).scrollIntoView({ block: "nearest", behavior: "instant" });
}

/** The first question that has options and no answer yet, or -1. */
function waiting() {
  const values = answers.of(item());
  return form().asks.findIndex((ask) => ask.options.length && !values[ask.name]);
}

function answer(key) {
  const option = item() && optionOf(form().asks[state.ask], key);
  if (option) choose(state.ask, option);
}

/** The next of a list; what was wished for last counts, be it on screen or not. */
function turnTo(list, now) {
  return list[(list.indexOf(now) + 1) % list.length];
}

function change(index, value) {
  if (item()) answers.change(state.kind, item(), form().asks[index].name, value);
}

function choose(index, option) {
  if (!item()) return;
  change(index, option);
  const box = $(`ask-${index}`);
  box.classList.remove("missing");
  for (const button of box.querySelectorAll(".choice")) button.setAttribute("aria-pressed", String(button.dataset.option === option));
  const then = waiting();
  mark(then < 0 ? index : then);
  if (then >= 0) $(`ask-${then}`).scrollIntoView({ block: "nearest", behavior: "instant" });
  say(then < 0 ? `${titled(option)}. Enter submits.` : `${titled(option)}. ${form().asks[then].title}`);
}

function rewrite() {
  const index = form().asks.findIndex((ask) => !ask.options.length && ask.name === "question");
  if (item() && index >= 0) beginRewrite($(`ask-${index}-text`), item().fields[layoutOf(form()).rewritten]);
  else say("There is nothing to rewrite here.");
}

/** A box hears that it is left while its item is still on screen: a rewrite that changed nothing is taken back. */
function leaveBox() {
  if (document.activeElement instanceof HTMLTextAreaElement) document.activeElement.blur();
}

function submit() {
  const one = item();
  if (!one) return;
  leaveBox();
  const values = answers.of(one);
  const missing = form().asks.findIndex((ask) => ask.required && !values[ask.name]?.trim());
  if (missing >= 0) {
    mark(missing);
    $(`ask-${missing}`).classList.add("missing");
    $(`ask-${missing}`).scrollIntoView({ block: "nearest", behavior: "instant" });
    say(`Answer first: ${form().asks[missing].title}`);
    return;
  }
  give(one, "submitted");
}

function give(one, status) {
  const figures = state.figures[state.kind];
  if (!final(one)) Object.assign(figures, { done: Math.min(figures.done + 1, figures.total), mine: figures.mine + 1 });
  answers.give(state.kind, one, status);
  next();
}

function next() {
  if (state.filter !== "open") {
    if (state.at < state.ids.length - 1) return show(state.at + 1);
    say("That was the last one.");
    return render();
  }
  const waits = (id) => !final(answers.items.get(id));
  const after = state.ids.findIndex((id, index) => index > state.at && waits(id));
  const at = after >= 0 ? after : state.ids.findIndex(waits);
  return at >= 0 ? show(at) : open(state.kind, "open");
}

function move(by) {
  const at = state.at + by;
  if (at >= 0 && at < state.ids.length) show(at);
}

async function undo() {
  if (state.busy) return;
  state.busy = true;
  answers.saveDraft();
  try {
    await answers.settled();
    const taken = await write("/api/undo", { kind: state.kind, reviewer: answers.reviewer });
    trouble("");
    state.figures[state.kind] = taken.progress;
    if (taken.item === null) {
      showFigures();
      return say("There is nothing left to take back.");
    }
    answers.forget(taken.item);
    if (!state.ids.includes(taken.item)) state.ids.splice(state.at, 0, taken.item);
    await show(state.ids.indexOf(taken.item));
    say("Taken back.");
  } catch (error) {
    trouble(error instanceof Refused ? error.message : `${error.message} Nothing was taken back.`);
  } finally {
    state.busy = false;
  }
}

async function be(reviewer) {
  await answers.settled();
  answers.reviewer = reviewer;
  remember("reviewer", reviewer);
  answers.forgetAll();
  $("show-who").textContent = reviewer;
  $("show-who").setAttribute("aria-label", `Reviewer: ${reviewer}. Change`);
  try {
    state.figures = await read("/api/kinds", { reviewer });
  } catch (error) {
    return trouble(error.message);
  }
  const [kind, filter] = remembered(`open.${reviewer}`, ["", "open"]);
  const has = (one) => state.figures[one]?.total > 0;
  const first = state.forms.find((one) => left(one.kind) > 0) ?? state.forms.find((one) => has(one.kind)) ?? state.forms[0];
  await (has(kind) ? open(kind, filter) : open(first.kind, "open"));
}

const shownKinds = () => state.forms.map((one) => one.kind).filter((kind) => state.figures[kind]?.total);

async function begin() {
  listen({
    submit,
    undo,
    answer,
    rewrite,
    move,
    markNext,
    leave: () => item() && mark(Math.max(waiting(), 0)),
    skip: () => item() && give(item(), "discarded"),
    filter: () => open(state.wish.kind, turnTo(Object.keys(FILTERS), state.wish.filter)),
    tab: () => shownKinds().length > 1 && open(turnTo(shownKinds(), state.wish.kind), "open"),
    guidelines: () => form()?.guidelines ?? "",
    rename: () => askName(answers.reviewer, be),
    close: () => answers.saveDraft(),
  });
  try {
    const about = await read("/api/about");
    state.forms = about.kinds;
    $("title").textContent = about.title;
    document.title = about.title;
    const known = remembered("reviewer", "");
    if (known) await be(known);
    else askName(about.reviewer, be);
  } catch (error) {
    trouble(error.message);
  }
}

begin();
