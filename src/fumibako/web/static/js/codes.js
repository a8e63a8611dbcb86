// Grids of 区分: ↑↓ move a row at once (without scripts the server does it), Enter in the last cell adds a row.
import { announce } from "./fkeys.js";

const rowsOf = (grid) => [...grid.querySelectorAll("[data-grid-row]")];
let added = 100;

function addRow(grid) {
  const last = rowsOf(grid).filter((row) => row.dataset.new !== undefined).at(-1);
  if (!last) return;
  const copy = last.cloneNode(true);
  const key = last.querySelector("[name='row']").value;
  const fresh = key.replace(/new\d+$/, `new${(added += 1)}`);
  for (const item of copy.querySelectorAll("input,select")) {
    if (item.id) item.id = item.id.replace(key, fresh);
    if (item.name === "row") item.value = fresh;
    else {
      item.name = item.name.replace(key, fresh);
      item.value = "";
    }
    item.removeAttribute("aria-invalid");
    item.removeAttribute("aria-describedby");
  }
  for (const error of copy.querySelectorAll(".em")) error.remove();
  last.after(copy);
  copy.querySelector("input:not([type='hidden'])").focus();
}

function move(button) {
  const row = button.closest("[data-grid-row]");
  const way = Number(button.dataset.move);
  const other = way < 0 ? row.previousElementSibling : row.nextElementSibling;
  if (!other || other.dataset.new !== undefined) return announce(way < 0 ? "いちばん上です。" : "いちばん下です。");
  if (way < 0) other.before(row);
  else other.after(row);
  button.focus();
  const all = rowsOf(row.closest("[data-grid]")).filter((each) => each.dataset.new === undefined);
  announce(`${all.indexOf(row) + 1}番目に移動しました。登録すると保存されます。`);
  row.closest("form").dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const mover = event.target.closest("[data-move]");
  if (mover) {
    event.preventDefault();
    move(mover);
  }
  const adder = event.target.closest("[data-add-row]");
  if (adder) addRow(adder.closest("[data-grid]"));
});

// Enter in a new row that has a name, with nothing behind it: another row.
document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Enter" || event.isComposing || event.keyCode === 229 || event.ctrlKey) return;
    const row = event.target.closest?.("[data-grid-row][data-new]");
    const grid = row?.closest("[data-grid]");
    if (!row || rowsOf(grid).at(-1) !== row) return;
    const items = [...row.querySelectorAll("input:not([type='hidden']),select")];
    if (items.at(-1) !== event.target || !items.some((item) => item.value)) return;
    event.preventDefault();
    addRow(grid);
  },
  true,
);

for (const adder of document.querySelectorAll("[data-add-row]")) adder.hidden = false;
