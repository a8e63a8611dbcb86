// Native dialogs: buttons that open and close them, fragments that arrive in #dialog, and focus for refused forms.

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialogOpen);
    if (dialog && !dialog.open) {
      event.preventDefault();
      dialog.showModal();
    }
    return;
  }
  const closer = event.target.closest("[data-dialog-close]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog").close();
    return;
  }
  // A press beside the dialog closes it, except where something was being entered.
  if (event.target instanceof HTMLDialogElement && !event.target.querySelector("form[method='post']")) event.target.close();
});

// <a hx-get="…" hx-target="#dialog-body"> fills the shared dialog; without scripts the link opens the same as a page.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "dialog-body") return;
  const dialog = document.getElementById("dialog");
  dialog.classList.toggle("wide", Boolean(dialog.querySelector("[data-wide]")));
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("[autofocus]")?.focus();
});

document.querySelector("[data-focus]")?.focus();
for (const dialog of document.querySelectorAll("dialog[data-open]")) dialog.showModal();

// A link inside an error summary goes to the item, not only to its place on the page.
document.addEventListener("click", (event) => {
  const link = event.target.closest(".errsum a[href^='#']");
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  target.dispatchEvent(new CustomEvent("reveal", { bubbles: true }));
  const field = target.matches("input,select,textarea,button") ? target : target.querySelector("input:checked,input,select,textarea");
  (field ?? target).focus();
});
