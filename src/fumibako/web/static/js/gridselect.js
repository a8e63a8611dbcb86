// Ticks in a list: all of this page by the head's box, a range by Shift, and a line that says how many.

function words(box, count, total) {
  const noun = box.dataset.noun;
  if (!count) return `${noun}が選択されていません。`;
  if (count === total) return `このページの${noun} ${count}件すべてが選択されています。`;
  return `${count}件の${noun}が選択されています。`;
}

function refresh(root) {
  const boxes = [...root.querySelectorAll("[data-row]:not(:disabled)")];
  const count = boxes.filter((box) => box.checked).length;
  const head = root.querySelector("[data-all]");
  if (head) {
    head.checked = count > 0 && count === boxes.length;
    head.indeterminate = count > 0 && count < boxes.length;
  }
  for (const box of boxes) box.closest("tr")?.classList.toggle("on", box.checked);
  const line = root.querySelector("[data-count]");
  if (line) line.textContent = words(root, count, boxes.length);
  for (const number of root.querySelectorAll("[data-chosen]")) number.textContent = count ? `${count}件` : "人";
}

let last = null;

document.addEventListener("click", (event) => {
  const box = event.target;
  const root = box.closest?.("[data-gridselect]");
  if (!root || box.type !== "checkbox") return;
  const boxes = [...root.querySelectorAll("[data-row]:not(:disabled)")];
  if (box.matches("[data-all]")) for (const one of boxes) one.checked = box.checked;
  else if (box.matches("[data-row]")) {
    if (event.shiftKey && last && boxes.includes(last)) {
      const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
      for (const one of boxes.slice(from, to + 1)) one.checked = box.checked;
    }
    last = box;
  }
  refresh(root);
});

const all = () => document.querySelectorAll("[data-gridselect]").forEach(refresh);
document.body.addEventListener("htmx:afterSettle", all);
addEventListener("pageshow", all);
all();
