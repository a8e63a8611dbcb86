// 連絡区分: level 2 offers what is below the chosen level 1, level 3 what is below level 2. Without scripts all are
// offered, named by what is above them, and the server judges. Markup: [data-dependents] around the three selects.
import { announce } from "./fkeys.js";

const kept = new WeakMap();
const selectsOf = (box) => [...box.querySelectorAll("select[name^='category']")];

function optionsOf(select) {
  if (!kept.has(select)) kept.set(select, [...select.options]);
  return kept.get(select);
}

function narrow(box, isChanged) {
  const selects = selectsOf(box);
  const emptied = [];
  for (const [level, select] of selects.entries()) {
    if (level === 0) continue;
    const above = selects[level - 1].value;
    const chosen = select.value;
    const offered = optionsOf(select).filter((option) => !option.value || option.dataset.parent === above);
    select.replaceChildren(...offered);
    select.value = offered.some((option) => option.value === chosen) ? chosen : "";
    select.disabled = !above || offered.length < 2;
    if (chosen && !select.value) emptied.push(level + 1);
  }
  const note = box.parentElement.querySelector("[data-dependents-note]");
  const waits = selects[0].value ? "" : "連絡区分1を選ぶと、連絡区分2・3を選べます。";
  const cleared = isChanged && emptied.length ? `上の区分を変えたため、連絡区分${emptied.join("・")}を空にしました。` : "";
  if (cleared) announce(cleared);
  if (!note) return;
  note.textContent = cleared || waits;
  note.hidden = !note.textContent;
}

function begin(box) {
  if (box.dataset.narrowed) return;
  box.dataset.narrowed = "1";
  box.addEventListener("change", (event) => {
    if (selectsOf(box).includes(event.target)) narrow(box, true);
  });
  narrow(box, false);
}

const all = () => document.querySelectorAll("[data-dependents]").forEach(begin);
document.addEventListener("htmx:afterSettle", all);
all();
