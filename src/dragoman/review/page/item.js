// One item on screen: the text on one side, what is asked about it on the other.

import { layOut, make, pageLink } from "/passage.js";

// Which text is read as a passage, and which question stands beside which short text.
const LAYOUT = {
  chunks: { passage: "chunk", above: [], beside: {} },
  triplets: {
    passage: "anchor",
    above: [],
    beside: { is_positive_relevant: "positive", is_negative_irrelevant: "negative" },
    rewritten: "positive",
  },
  conversations: { passage: "response", above: ["instruction"], beside: {}, rewritten: "instruction" },
};
const FIGURES = {
  style: "asked as",
  rank: "found at place",
  judge: "judge’s mark",
  tokens: "tokens",
  questions: "questions",
  turn: "turn",
  model: "written by",
};
const LETTERS = { yes: "y", no: "n" };

export const layoutOf = (form) => LAYOUT[form.kind] ?? { passage: form.fields.at(-1).name, above: [], beside: {} };
export const optionOf = (ask, key) => ask.options.find((option, index) => LETTERS[option] === key || String(index + 1) === key);
export const titled = (word) => word.charAt(0).toUpperCase() + word.slice(1);

/** The side that is read. */
export function reading(item, form) {
  const layout = layoutOf(form);
  const fields = Object.fromEntries(form.fields.map((field) => [field.name, field]));
  const pane = make("section", { class: "reading", tabindex: "0", "aria-label": fields[layout.passage]?.title ?? "Text" });
  for (const name of layout.above) {
    const said = make("div", { class: "said passage" }, layOut(item.fields[name], { plain: fields[name].untrusted }));
    pane.append(make("p", { class: "label" }, fields[name].title), said);
  }
  // Where the questions come after the whole text, what they are about is told before it.
  const ahead = item.fields[Object.values(layout.beside)[0]];
  if (ahead) pane.append(make("p", { class: "ahead", "aria-hidden": "true" }, ahead));
  const { trail, text } = parted(item, item.fields[layout.passage] ?? "", fields[layout.passage]?.untrusted);
  if (layout.above.length) pane.append(make("p", { class: "label" }, fields[layout.passage].title));
  else pane.append(whereabouts(item, trail));
  const passage = make("div", { class: "passage" });
  if (text.trim()) passage.append(layOut(text, { plain: fields[layout.passage]?.untrusted }));
  else passage.append(make("p", { class: "soft" }, "(empty)"));
  pane.append(passage, figures(item));
  return pane;
}

/** A passage that begins with its heading trail, as selection writes it, in two. */
function parted(item, text, untrusted) {
  const [first, ...rest] = text.split("\n\n");
  const known = item.metadata.trail;
  const isTrail = known ? first === known : !untrusted && rest.length && first.includes(" > ") && !first.includes("\n");
  return isTrail ? { trail: first, text: rest.join("\n\n") } : { trail: known ?? "", text };
}

function whereabouts(item, trail) {
  const { url, document: file } = item.metadata;
  const where = make("div", { class: "where" });
  if (trail) {
    const steps = trail.split(" > ");
    const crumbs = make("p", { class: "trail" });
    steps.forEach((step, index) => crumbs.append(...(index ? [make("span", { "aria-hidden": "true" }, " › ")] : []), step));
    where.append(crumbs);
  }
  const place = file ?? item.fields.filename ?? "";
  const link = url ? pageLink(String(url), "Open page ↗") : null;
  if (place || link) where.append(make("p", { class: "file" }, make("span", {}, String(place)), link));
  return where;
}

function figures(item) {
  const list = make("dl", { class: "figures-of" });
  for (const [key, label] of Object.entries(FIGURES)) {
    const value = item.metadata[key];
    if (value === undefined || value === null || value === "" || (key === "rank" && !value)) continue;
    const shown = typeof value === "number" ? String(Math.round(value * 100) / 100) : String(value);
    list.append(make("div", {}, make("dt", {}, label), make("dd", {}, shown)));
  }
  return list.childElementCount ? list : "";
}

/** The side that is answered. `on` hears choices, texts and marks. */
export function asking(item, form, values, on) {
  const pane = make("section", { class: "asking", "aria-label": "Questions" });
  if (item.status && item.status !== "draft") pane.append(make("p", { class: "state" }, state(item)));
  form.asks.forEach((ask, index) => pane.append(card(item, form, ask, index, values, on)));
  return pane;
}

const state = (item) =>
  item.status === "submitted" ? "You answered this one. Submit again to change your answer." : "You skipped this one. Submit to answer it.";

function card(item, form, ask, index, values, on) {
  const id = `ask-${index}`;
  const layout = layoutOf(form);
  const beside = form.fields.find((field) => field.name === layout.beside[ask.name]);
  const box = make("div", { class: ask.options.length ? "ask" : "ask text", id, role: "group", "aria-labelledby": `${id}-title` });
  box.addEventListener("pointerdown", () => on.mark(index));
  box.addEventListener("focusin", () => on.mark(index));
  const title = make(ask.options.length ? "h2" : "label", { id: `${id}-title`, for: ask.options.length ? null : `${id}-text` }, ask.title);
  if (beside) {
    const words = item.fields[beside.name]?.trim() || "(none)";
    box.append(make("p", { class: "label" }, beside.title), make("p", { class: "quoted" }, words));
  }
  box.append(title);
  if (ask.description) box.append(make("p", { class: "soft", id: `${id}-about` }, ask.description));
  if (ask.options.length) box.append(choices(ask, index, values, on), hint(item, ask));
  else box.append(textBox(item, form, ask, index, values, on));
  box.append(others(item, ask));
  return box;
}

function choices(ask, index, values, on) {
  const row = make("div", { class: "choices" });
  for (const [number, option] of ask.options.entries()) {
    const key = LETTERS[option] ?? String(number + 1);
    const button = make(
      "button",
      {
        type: "button",
        class: "choice",
        "data-option": option,
        "aria-pressed": String(values[ask.name] === option),
        "aria-keyshortcuts": key,
        onclick: () => on.choose(index, option),
      },
      titled(option),
      make("kbd", { "aria-hidden": "true" }, key),
    );
    row.append(button);
  }
  return row;
}

function hint(item, ask) {
  const found = item.suggestions.find((suggestion) => suggestion.ask === ask.name);
  if (!found) return "";
  const sure = typeof found.score === "number" ? ` ${Math.round(found.score * 100)}% sure,` : "";
  return make("p", { class: "hint" }, `Suggested: ${titled(found.value)}.`, make("span", {}, `${sure} by ${found.agent}`));
}

function textBox(item, form, ask, index, values, on) {
  const box = make("textarea", {
    id: `ask-${index}-text`,
    rows: "1",
    maxlength: "10000",
    "aria-describedby": ask.description ? `ask-${index}-about` : null,
    placeholder: ask.required ? null : "optional",
  });
  box.value = values[ask.name] ?? "";
  const hear = () => {
    on.type(index, box.value);
    grow(box);
  };
  box.addEventListener("input", hear);
  box.addEventListener("blur", () => {
    const original = item.fields[layoutOf(form).rewritten]?.trim();
    if (ask.name !== "question" || !box.value.trim() || box.value.trim() !== original) return;
    box.value = "";
    if (values[ask.name] || box.dataset.typed) hear();
    else grow(box);
  });
  box.addEventListener("input", () => (box.dataset.typed = "yes"));
  return box;
}

/** As high as its text. */
export function grow(box) {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + 2}px`;
}

/** A rewrite begins with the words as they are; left as they are, it is none. */
export function beginRewrite(box, words) {
  const fresh = !box.value.trim();
  if (fresh) box.value = words ?? "";
  grow(box);
  box.focus();
  box.setSelectionRange(fresh ? 0 : box.value.length, box.value.length); // typing replaces them, an arrow goes into them
  box.scrollIntoView({ block: "nearest", behavior: "instant" });
}

function others(item, ask) {
  const said = item.others.filter((other) => other.values[ask.name]);
  if (!said.length) return "";
  const list = make("ul", { class: "others", "aria-label": "What others answered" });
  for (const other of said) list.append(make("li", {}, make("b", {}, other.reviewer), ` ${titled(other.values[ask.name])}`));
  return list;
}
