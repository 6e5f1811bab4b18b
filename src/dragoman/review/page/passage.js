// Text on screen. Everything goes in through textContent: what somebody typed never becomes HTML, whatever it looks like.

/** An element with properties and children; strings become text. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** Lay a text out: fences in monospace; headings, lists and `code` are marked unless a stranger typed it. */
export function layOut(text, { plain = false } = {}) {
  const page = document.createDocumentFragment();
  let block = [];
  let fence = null;
  const flush = () => {
    if (block.length) page.append(paragraph(block, plain));
    block = [];
  };
  for (const line of text.replaceAll("\r\n", "\n").split("\n")) {
    const mark = /^ {0,6}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== null) {
      if (mark && mark[0] === fence.mark[0] && mark.length >= fence.mark.length && line.trim() === mark) {
        page.append(code(fence.lines));
        fence = null;
      } else fence.lines.push(line);
    } else if (mark) {
      flush();
      fence = { mark, lines: [] };
    } else if (!line.trim()) flush();
    else if (!plain && /^#{1,6} /.test(line)) {
      flush();
      page.append(make("p", { class: "heading" }, inline(line.replace(/^#+ /, ""), plain)));
    } else block.push(line);
  }
  flush();
  if (fence) page.append(code(fence.lines));
  return page;
}

function code(lines) {
  return make("pre", { tabindex: "0", "aria-label": "code" }, make("code", {}, lines.join("\n")));
}

function paragraph(lines, plain) {
  if (!plain && lines.every((line) => line.trimStart().startsWith("|"))) return code(lines);
  if (!plain && lines.every((line) => line.startsWith("    ") || line.startsWith("\t"))) return code(lines);
  const bullet = /^(\s*)([-*+]|\d{1,3}[.)]) /;
  if (!plain && bullet.test(lines[0])) {
    const list = make("div", { class: "list" });
    let item = null;
    for (const line of lines) {
      const found = bullet.exec(line);
      if (found) {
        const sign = found[2].length === 1 ? "•" : found[2];
        item = make("p", { class: found[1].length > 1 ? "bullet deep" : "bullet", "data-sign": sign });
        item.append(inline(line.slice(found[0].length), plain));
        list.append(item);
      } else item.append("\n", inline(line.trim(), plain));
    }
    return list;
  }
  return make("p", {}, inline(lines.join("\n"), plain));
}

function inline(text, plain) {
  const line = document.createDocumentFragment();
  // Piece by piece: a call with as many arguments as a long text has pieces would overflow the stack.
  for (const part of plain ? [text] : text.split(/(`[^`\n]+`|\*\*[^*\n]+\*\*)/)) {
    if (part.length > 2 && part.startsWith("`") && part.endsWith("`")) line.append(make("code", {}, part.slice(1, -1)));
    else if (part.length > 4 && part.startsWith("**") && part.endsWith("**")) line.append(make("strong", {}, part.slice(2, -2)));
    else line.append(part);
  }
  return line;
}

/** A link to a page of the docs, or nothing when the address is of another sort. */
export function pageLink(address, label) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  return make("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, label);
}
