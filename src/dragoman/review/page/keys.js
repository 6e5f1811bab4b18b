// Keys, buttons and the three small windows: what the reviewer's hands do, told to whoever listens.

import { layOut } from "/passage.js";

const $ = (id) => document.getElementById(id);
const HELD = new Set(["j", "k", "ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", " "]); // a held key may repeat these only

export function listen(on) {
  const toggle = (id) => {
    if (id === "guidelines") $("guidelines-text").replaceChildren(layOut(on.guidelines()));
    if ($(id).open) $(id).close();
    else $(id).showModal();
  };
  const acts = {
    Enter: on.submit,
    s: on.skip,
    u: on.undo,
    e: on.rewrite,
    f: on.filter,
    t: on.tab,
    g: () => toggle("guidelines"),
    "?": () => toggle("keys"),
    j: () => on.move(1),
    k: () => on.move(-1),
    ArrowRight: () => on.move(1),
    ArrowLeft: () => on.move(-1),
    ArrowDown: () => on.markNext(1),
    ArrowUp: () => on.markNext(-1),
    " ": (event) => scroll(event.shiftKey ? -1 : 1),
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const shown = document.querySelector("dialog[open]");
    if (shown) {
      if ((key === "g" && shown.id === "guidelines") || (key === "?" && shown.id === "keys")) shown.close();
      return;
    }
    if (event.target instanceof HTMLTextAreaElement) return inBox(event, on);
    const button = event.target.closest?.("button, a");
    if (button && (key === " " || (key === "Enter" && !button.matches(".choice")))) {
      if (event.repeat) event.preventDefault();
      return;
    }
    const act = acts[key] ?? (/^[\da-z]$/.test(key) ? () => on.answer(key) : null);
    if (!act) return;
    event.preventDefault();
    if (!event.repeat || HELD.has(key)) act(event);
  });
  press("back", () => on.move(-1));
  press("forward", () => on.move(1));
  press("undo", on.undo);
  press("skip", on.skip);
  press("submit", on.submit);
  press("show-guidelines", () => toggle("guidelines"));
  press("show-keys", () => toggle("keys"));
  press("show-who", on.rename);
  addEventListener("pagehide", on.close);
  document.addEventListener("visibilitychange", () => document.hidden && on.close());
}

function inBox(event, on) {
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    if (!event.repeat) on.submit();
  } else if (event.key === "Escape") {
    event.preventDefault();
    event.target.blur();
    $("work").focus({ preventScroll: true });
    on.leave();
  }
}

const press = (id, act) => $(id).addEventListener("click", () => act());

function scroll(by) {
  const pane = document.querySelector(".reading");
  const scroller = pane && pane.scrollHeight > pane.clientHeight ? pane : document.scrollingElement;
  scroller.scrollBy({ top: by * 0.8 * scroller.clientHeight });
}

/** Ask for the reviewer's name; who closes the window keeps the one that was proposed. */
export function askName(proposed, then) {
  $("who-name").value = proposed;
  $("who").addEventListener(
    "close",
    () => {
      const name = $("who-name").value.trim() || proposed;
      if (name) then(name);
      else askName(proposed, then);
    },
    { once: true },
  );
  $("who").showModal();
  $("who-name").select();
}
