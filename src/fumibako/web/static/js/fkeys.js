// Function keys press visible buttons ([data-fkey]) and do nothing of their own. Only F1–F4 and F11: F6–F10 belong to
// the Japanese input method, F5 and F12 to the browser.
const KEYS = new Set(["F1", "F2", "F3", "F4", "F11"]);
const PAUSE_AFTER_SEND = 1000;
let deafUntil = 0;

function keyOf(event) {
  if (KEYS.has(event.key) && !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey) return event.key;
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return "";
  if (event.key.toLowerCase() === "s") return "F2";
  return event.key === "Enter" ? "F11" : "";
}

function buttonOf(key) {
  const open = [...document.querySelectorAll("dialog[open]")].at(-1);
  const found = [...(open ?? document).querySelectorAll(`[data-fkey="${key}"]`)];
  return found.find((button) => button.checkVisibility()) ?? found[0];
}

function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}

document.addEventListener("keydown", (event) => {
  const key = isComposing(event) ? "" : keyOf(event);
  const button = key && buttonOf(key);
  if (!key || (!button && event.key !== key)) return;
  if (!button) return;
  event.preventDefault();
  if (event.repeat || Date.now() < deafUntil) return;
  button.focus({ preventScroll: true });
  button.click();
});

export function announce(text) {
  const place = document.getElementById("announcer");
  place.textContent = "";
  requestAnimationFrame(() => (place.textContent = text));
}

// A main button is never disabled: pressing it while it has to wait leads to what is missing, and says so.
document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest("[aria-disabled='true']");
    if (!button) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const reason = document.getElementById(button.dataset.reason ?? button.getAttribute("aria-describedby") ?? "");
    if (!reason) return;
    announce(reason.textContent.trim());
    const field = reason.matches("input,select,textarea") ? reason : document.getElementById(reason.dataset.leadsTo ?? "");
    (field ?? reason).focus();
  },
  true,
);

// Pressed twice is pressed once: the button says what it is doing, and keys stay silent for a moment.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  deafUntil = Date.now() + PAUSE_AFTER_SEND;
  if (event.submitter?.dataset.doing) event.submitter.lastChild.textContent = event.submitter.dataset.doing;
  setTimeout(() => delete form.dataset.sent, 8000);
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

// In forms marked data-enter="next", Enter goes to the next item instead of sending the form.
document.addEventListener("keydown", (event) => {
  const here = event.target;
  const form = here.form?.closest("[data-enter='next']");
  if (!form || event.key !== "Enter" || isComposing(event) || event.ctrlKey || event.defaultPrevented) return;
  if (!here.matches("input:not([type='submit']),select")) return;
  event.preventDefault();
  const items = [...form.elements].filter((item) => item.matches("input:not([type='hidden']),select,textarea") && !item.disabled && item.checkVisibility());
  items[items.indexOf(here) + 1]?.focus();
});
