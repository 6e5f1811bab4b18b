// What stands around an item: tabs, filters, figures, and the page that says that nothing is left.

import { titled } from "/item.js";
import { make } from "/passage.js";

export const FILTERS = { open: "Open", mine: "Mine", disagreement: "Disagreement" };
const WORDS = {
  mine: ["Nothing yet.", "What you answer appears here, to be looked at again."],
  disagreement: ["No disagreement.", "No two reviewers have answered one item differently."],
};
const $ = (id) => document.getElementById(id);

export function tabsOf(state, open) {
  const shown = state.forms.filter((one) => state.figures[one.kind]?.total || one.kind === state.kind);
  const tabs = shown.map((one) => {
    const chosen = String(one.kind === state.kind);
    const properties = { type: "button", role: "tab", "aria-selected": chosen, "aria-controls": "work", onclick: () => open(one.kind, "open") };
    return make("button", properties, titled(one.kind));
  });
  $("kinds").replaceChildren(...tabs);
  const filters = Object.entries(FILTERS).map(([name, label]) => {
    const chosen = String(name === state.filter);
    const properties = { type: "button", "data-filter": name, "aria-pressed": chosen, onclick: () => open(state.kind, name) };
    return make("button", properties, label, make("span", { class: "count" }));
  });
  $("filters").replaceChildren(...filters);
}

export function figuresOf({ done, total, mine, disagreement, minutes }, at, length) {
  const rest = total - done;
  const time = minutes === null || !rest ? "" : minutes < 1 ? ", less than a minute left" : `, about ${Math.ceil(minutes)} min left`;
  $("figures").textContent = total ? `${done} of ${total}${time}` : "";
  $("progress").max = Math.max(total, 1);
  $("progress").value = done;
  $("place").textContent = `${at + 1} / ${length}`;
  const counts = { open: rest, mine, disagreement };
  for (const button of $("filters").children) button.querySelector(".count").textContent = counts[button.dataset.filter];
  $("back").disabled = at === 0;
  $("forward").disabled = at >= length - 1;
}

export function doneCard(filter, figures, acts, undo) {
  const [title, text] = WORDS[filter] ?? (figures.total ? ["All done.", `All ${figures.total} are answered. Thank you.`] : ["Nothing here yet.", "No items were put on this desk."]);
  const row = make("div", { class: "group" });
  for (const [label, act] of acts) row.append(make("button", { class: "main", type: "button", onclick: act }, label));
  if (undo) row.append(make("button", { class: "quiet", type: "button", onclick: undo }, "Undo the last"));
  return make("div", { class: "card" }, make("h2", {}, title), make("p", { class: "soft" }, text), row);
}
