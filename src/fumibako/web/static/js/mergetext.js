// The composer: paints {{氏名}} behind the text, marks names that do not exist, inserts by button and by typing {{.
// The text stays a plain textarea, so IME, undo and spelling are the browser's own.

const FIELD = /(?:\{\{|｛｛)\s*([^{}｛｝]*?)\s*(?:\}\}|｝｝)/g;

function paint(box) {
  const area = box.querySelector("textarea, input");
  const layer = box.querySelector(".paint");
  const names = new Set(box.dataset.fields.split("、"));
  const found = document.createElement("span");
  let at = 0;
  for (const match of area.value.matchAll(FIELD)) {
    found.append(area.value.slice(at, match.index));
    const mark = document.createElement("mark");
    mark.textContent = match[0];
    const name = match[1].split(/[|:]/)[0].trim();
    if (!names.has(name)) mark.className = "no";
    found.append(mark);
    at = match.index + match[0].length;
  }
  found.append(area.value.slice(at) + "\n");
  layer.replaceChildren(found);
  layer.scrollTop = area.scrollTop;
  layer.scrollLeft = area.scrollLeft;
}

function insert(area, text, from = area.selectionStart) {
  area.focus();
  area.setSelectionRange(from, area.selectionEnd);
  // execCommand keeps the browser's undo; setRangeText is the way out where it is gone.
  if (!document.execCommand?.("insertText", false, text)) {
    area.setRangeText(text, from, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function typed(area) {
  const before = area.value.slice(0, area.selectionStart);
  const match = /(?:\{\{|｛｛)([^{}｛｝\n]*)$/.exec(before);
  return match && { from: match.index, text: match[1].trim() };
}

function listFor(box, area) {
  const list = document.createElement("ul");
  list.className = "mflist";
  list.id = `${area.id}-fields`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "差込項目");
  list.hidden = true;
  box.append(list);
  area.setAttribute("aria-controls", list.id);
  let chosen = 0;

  const close = () => {
    list.hidden = true;
    area.removeAttribute("aria-activedescendant");
  };
  const choose = (index) => {
    const rows = [...list.children];
    chosen = (index + rows.length) % rows.length;
    rows.forEach((row, place) => row.setAttribute("aria-selected", String(place === chosen)));
    area.setAttribute("aria-activedescendant", rows[chosen].id);
    rows[chosen].scrollIntoView({ block: "nearest" });
  };
  const take = (name) => {
    const place = typed(area);
    close();
    if (place) insert(area, `{{${name}}}`, place.from);
  };
  const open = () => {
    const place = typed(area);
    const names = place ? box.dataset.fields.split("、").filter((name) => name.includes(place.text)) : [];
    if (!names.length) return close();
    list.replaceChildren(
      ...names.map((name, index) => {
        const row = document.createElement("li");
        row.id = `${list.id}-${index}`;
        row.setAttribute("role", "option");
        row.textContent = name;
        row.addEventListener("mousedown", (event) => {
          event.preventDefault();
          take(name);
        });
        return row;
      }),
    );
    list.hidden = false;
    choose(0);
  };

  area.addEventListener("input", (event) => {
    if (!event.isComposing) open();
  });
  area.addEventListener("compositionend", open);
  area.addEventListener("blur", close);
  area.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing || event.keyCode === 229) return;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) choose(chosen + moves[event.key]);
    else if (event.key === "Enter" || event.key === "Tab") take(list.children[chosen].textContent);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

let target = null;

for (const box of document.querySelectorAll("[data-mergetext]")) {
  const area = box.querySelector("textarea, input");
  target = area;
  area.addEventListener("focus", () => (target = area));
  for (const kind of ["input", "scroll", "compositionend"]) area.addEventListener(kind, () => paint(box));
  new ResizeObserver(() => paint(box)).observe(area);
  listFor(box, area);
  paint(box);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-insert]");
  if (!button || !target) return;
  event.preventDefault();
  insert(target, `{{${button.dataset.insert}}}`);
});
