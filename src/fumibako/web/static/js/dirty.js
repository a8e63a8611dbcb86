// 「未登録の変更 2項目」: counts what differs from what is stored, marks the labels, asks before the page is left.
// Markup: form[data-dirty]; [data-dirty-count] shows the number, [data-dirty-part] is hidden while there is none.
const form = document.querySelector("form[data-dirty]");

function savedOf(item) {
  const kept = item.closest("[data-saved]")?.dataset.saved;
  if (kept !== undefined) return kept;
  if (item.type === "checkbox") return item.defaultChecked ? "1" : "";
  if (item.type === "radio") return [...form.elements.namedItem(item.name)].find((each) => each.defaultChecked)?.value ?? "";
  if (item.tagName === "SELECT") return ([...item.options].find((each) => each.defaultSelected) ?? item.options[0])?.value ?? "";
  return item.defaultValue;
}
const nowOf = (item) => {
  if (item.type === "checkbox") return item.checked ? "1" : "";
  if (item.type === "radio") return form.elements.namedItem(item.name).value;
  return item.value.replaceAll("\r\n", "\n");
};

let leaving = false;
const changed = () => {
  const names = new Set();
  for (const item of form.elements) {
    if (!item.name || item.type === "hidden" || !item.matches("input,select,textarea") || item.dataset.dirtyIgnore !== undefined) continue;
    const differs = nowOf(item) !== savedOf(item).replaceAll("\r\n", "\n");
    if (differs) names.add(item.name);
    if (item.type === "radio" && !item.checked) continue;
    const row = item.closest(".f");
    const label = (row ?? form).querySelector(row ? ":scope > label, :scope > .lb" : `label[for='${item.id}']`);
    if (label && (!row || row.querySelectorAll("input:not([type=radio]),select,textarea").length < 2 || differs)) label.classList.toggle("changed", differs);
  }
  return names.size;
};

function show() {
  const count = changed();
  for (const place of document.querySelectorAll("[data-dirty-count]")) place.textContent = count;
  for (const part of document.querySelectorAll("[data-dirty-part]")) part.hidden = count === 0;
  return count;
}

if (form) {
  form.addEventListener("input", show);
  form.addEventListener("change", show);
  form.addEventListener("submit", () => (leaving = true));
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-leave]")) leaving = true;
  });
  window.addEventListener("pageshow", () => (leaving = false));
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && show() > 0) event.preventDefault();
  });
  form.querySelectorAll(".changed").forEach((label) => label.classList.remove("changed"));
  show();
}
