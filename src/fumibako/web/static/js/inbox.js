// メール受信: ↑↓ and Enter in the list, Ctrl+↑ and Ctrl+↓ from mail to mail, Esc to the list, where the list was
// scrolled to, and whether somebody is writing. Everything it presses is a link or a button of the page.
const desk = document.querySelector("[data-inbox]");
const rows = () => [...document.querySelectorAll("#mails .ml a")];
const current = () => document.querySelector("#mails .ml a[aria-current]");
const isBusy = (event) => event.isComposing || event.keyCode === 229 || document.querySelector("dialog[open], [popover]:popover-open");
const isTyping = (event) => event.target.matches("input:not([type=checkbox]),textarea,select");

function move(step) {
  const all = rows();
  const at = all.indexOf(document.activeElement);
  const next = at < 0 ? (current() ?? all[0]) : all[Math.min(all.length - 1, Math.max(0, at + step))];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
}

function turn(step) {
  const all = rows();
  const at = all.indexOf(current());
  const next = at < 0 ? all[0] : all[at + step];
  (next ?? (step > 0 && document.querySelector("[data-older]")))?.click();
}

document.addEventListener("keydown", (event) => {
  if (!desk || isBusy(event) || event.altKey || event.shiftKey || event.metaKey) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && event.ctrlKey) {
    event.preventDefault();
    if (!event.repeat) turn(step);
  } else if (step && !isTyping(event) && !event.target.closest(".rd, .pp, .views, .fbar, .rail")) {
    event.preventDefault();
    move(step);
  } else if (event.key === "Escape" && !event.ctrlKey) {
    // On a phone the list is another page.
    const row = current() ?? rows()[0];
    if (row?.checkVisibility()) row.focus();
    else document.querySelector(".views a[aria-current]")?.click();
  }
});

// The list stands where it stood, also after the next mail has been opened; a mail that was opened by key is read on.
const list = document.getElementById("mails");
if (list) {
  const key = `inbox:${desk.dataset.inbox || location.search}`;
  list.scrollTop = Number(sessionStorage.getItem(key) ?? 0);
  addEventListener("pagehide", () => sessionStorage.setItem(key, String(document.getElementById("mails").scrollTop)));
  current()?.scrollIntoView({ block: "nearest" });
  if (matchMedia("(max-width: 760px)").matches && document.querySelector(".ib.reading")) scrollTo(0, 0);
}

document.querySelector(".views a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

// R button of the reading pane: on a wide screen the answer is written under the mail.
const answer = document.getElementById("q");
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
  if (!event.target.closest("[data-reply]") || !answer) return;
  event.preventDefault();
  answer.scrollIntoView({ block: "center" });
  answer.focus();
});

// Others see that an answer is being written; what was begun is kept until the server has it (undo.js) or the tab closes.
const flag = document.getElementById("writing");
for (const form of document.querySelectorAll("[data-writing]")) {
  const area = form.querySelector("textarea");
  const place = `draft:${form.action}`;
  const tell = () => {
    if (flag && flag.defaultValue === "") flag.value = area.value !== area.defaultValue ? "1" : "";
  };
  const kept = sessionStorage.getItem(place);
  if (kept !== null && area.value === area.defaultValue && !document.querySelector(".held,.errsum")) area.value = kept;
  area.addEventListener("input", () => {
    tell();
    if (area.value === area.defaultValue) sessionStorage.removeItem(place);
    else sessionStorage.setItem(place, area.value);
  });
  tell();
}

// The first word about being here marks the mail as read; the page says so at once.
const here = document.getElementById("presence");
if (here) {
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id !== "presence" || !event.detail.successful) return;
    document.getElementById("opened")?.remove();
    current()?.classList.remove("new");
    current()?.querySelector(".dot")?.classList.add("off");
  });
  requestAnimationFrame(() => window.htmx.trigger(here, "live"));
}
