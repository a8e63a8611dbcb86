// Lists and records of people: F3 opens the conditions, Ctrl+↑ and Ctrl+↓ go to the record before and after.
const panel = document.getElementById("panel");

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-people-search]")) return;
  panel.open = true;
  panel.querySelector("input").focus();
});

// The file name of a chosen file says what was chosen; without scripts the browser's own control does.
for (const drop of document.querySelectorAll("[data-drop]")) {
  const input = drop.querySelector("input[type='file']");
  for (const kind of ["dragover", "dragenter"]) drop.addEventListener(kind, (event) => (event.preventDefault(), drop.classList.add("over")));
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    input.files = event.dataTransfer.files;
  });
}

// カナ is proposed from what the input method was given, while the field is still empty or proposed.
for (const [from, at] of [["id_family_name", 0], ["id_given_name", 1]]) {
  const name = document.getElementById(from);
  const kana = document.getElementById("id_kana");
  if (!name || !kana) continue;
  let reading = "";
  const toKatakana = (text) => text.replace(/[ぁ-ゖ]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0x60));
  name.addEventListener("compositionupdate", (event) => {
    if (/^[ぁ-ゖァ-ヶー]+$/.test(event.data)) reading = toKatakana(event.data);
  });
  name.addEventListener("compositionend", () => {
    if (!reading || (kana.value && kana.dataset.proposed !== kana.value)) return;
    const parts = (kana.value || " ").split(" ");
    parts[at] = reading;
    kana.value = parts.join(" ").trim();
    kana.dataset.proposed = kana.value;
    reading = "";
    kana.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// Writing a file leaves the page as it is: the same form may be sent again at once.
document.addEventListener("submit", (event) => {
  if (event.submitter?.dataset.again === undefined) return;
  setTimeout(() => delete event.target.dataset.sent, 500);
});

document.addEventListener("keydown", (event) => {
  const way = { ArrowUp: "[data-prev]", ArrowDown: "[data-next]" }[event.key];
  if (!way || !event.ctrlKey || event.altKey || event.shiftKey || event.metaKey || event.isComposing || event.repeat) return;
  if (document.querySelector("dialog[open]")) return;
  const link = document.querySelector(way);
  if (!link) return;
  event.preventDefault();
  link.click();
});

// A link to one contact of a company opens that contact.
const aimed = location.hash && document.getElementById(location.hash.slice(1));
if (aimed instanceof HTMLDetailsElement) {
  aimed.open = true;
  aimed.scrollIntoView({ block: "center" });
}
