// 連絡記録: 相手 with its list of candidates, 部門 that follows 対応者, and saving for the next record.
function startParty(box) {
  if (box.dataset.ready) return;
  box.dataset.ready = "1";
  const input = box.querySelector("[role='combobox']");
  const person = box.querySelector("input[type='hidden']");
  const list = box.querySelector("[role='listbox']");
  const fetcher = box.parentElement.querySelector("[data-party-fetch]");
  const options = () => [...list.querySelectorAll("[data-pk]")];
  let waiting = 0;

  function show(isOpen) {
    list.hidden = !isOpen;
    input.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) input.removeAttribute("aria-activedescendant");
  }
  function mark(option) {
    for (const each of options()) each.setAttribute("aria-selected", String(each === option));
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }
  function choose(option) {
    input.value = option.dataset.label;
    person.value = option.dataset.pk;
    show(false);
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  input.addEventListener("input", () => {
    person.value = "";
    clearTimeout(waiting);
    if (!input.value.trim()) return show(false);
    waiting = setTimeout(() => window.htmx.trigger(fetcher, "party-typed"), 180);
  });
  list.addEventListener("htmx:afterSwap", () => {
    const isWanted = document.activeElement === input && input.value.trim() !== "" && !person.value;
    show(isWanted && list.children.length > 0);
    mark(null);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || list.hidden) return;
    const all = options();
    const at = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && all.length && !event.ctrlKey) mark(all[(at + step + all.length + (at < 0 && step < 0 ? 1 : 0)) % all.length]);
    else if (event.key === "Enter" && at >= 0) choose(all[at]);
    else if (event.key === "Escape") show(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[data-pk]");
    if (option) choose(option);
  });
  input.addEventListener("blur", () => show(false));
}

const all = () => document.querySelectorAll("[data-party]").forEach(startParty);
document.addEventListener("htmx:afterSettle", all);
all();

// 対応者 brings its 部門 along, as long as nobody has chosen another one.
document.addEventListener("change", (event) => {
  if (event.target.name === "department") event.target.dataset.chosen = "1";
  if (event.target.name !== "operator") return;
  const department = event.target.form.elements.namedItem("department");
  const wanted = event.target.selectedOptions[0]?.dataset.department;
  if (!department || department.dataset.chosen || !wanted) return;
  department.value = wanted;
  department.form.dispatchEvent(new Event("change", { bubbles: true }));
});

// F11 証憑 leads to the files; Ctrl+Shift+Enter saves and begins the next record.
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-to-files]")) return;
  event.preventDefault();
  const files = document.getElementById("id_files");
  files.scrollIntoView({ block: "center" });
  files.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.ctrlKey || !event.shiftKey || event.isComposing || event.repeat) return;
  const button = document.querySelector("[data-save-next]");
  if (!button || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  button.click();
});
