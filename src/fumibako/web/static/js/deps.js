// What cannot be used now is grey, keeps its value and says why. [data-need="a|b&c"] names checkboxes of the same form
// (& binds tighter than |); [data-need-note="…"] is shown while the need is not met. Grey items are still sent.
const forms = [...document.querySelectorAll("form")].filter((form) => form.elements.length);

const isOn = (form, name) => {
  const item = form.elements.namedItem(name);
  return Boolean(item && (item.type === "checkbox" ? item.checked : item.value));
};
const isMet = (form, need) => need.split("|").some((each) => each.split("&").every((name) => isOn(form, name.trim())));

function refresh(form) {
  for (const item of form.elements) {
    if (item.type === "hidden" || item.tagName === "FIELDSET" || item.tagName === "BUTTON") continue;
    const needs = [];
    for (let place = item; place && place !== form; place = place.parentElement) if (place.dataset.need) needs.push(place.dataset.need);
    if (needs.length || item.dataset.locked) item.disabled = item.dataset.locked === "1" || !needs.every((need) => isMet(form, need));
  }
  for (const note of form.querySelectorAll("[data-need-note]")) note.hidden = isMet(form, note.dataset.needNote);
}

for (const form of forms) {
  form.addEventListener("change", () => refresh(form));
  form.addEventListener("deps", () => refresh(form));
  form.addEventListener("reset", () => setTimeout(() => refresh(form)));
  form.addEventListener("formdata", ({ formData }) => {
    for (const item of form.elements) {
      if (!item.disabled || !item.name || (/checkbox|radio/.test(item.type) && !item.checked)) continue;
      formData.append(item.name, item.value);
    }
  });
  refresh(form);
}
