// A draft's last keystrokes are stored even when the page is left before the live preview has stored them.
const form = document.querySelector("form[data-autosave]");

if (form) {
  const names = ["subject", "body"];
  const state = () => names.map((name) => form.elements[name].value).join("\u0000");
  let stored = state();
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt === form && event.detail.successful) stored = event.detail.requestConfig.kept ?? stored;
  });
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt === form) event.detail.kept = state();
  });
  form.addEventListener("submit", () => (stored = state()));
  addEventListener("pagehide", () => {
    if (state() === stored) return;
    const data = new FormData();
    for (const name of [...names, "version", "csrfmiddlewaretoken"]) data.append(name, form.elements[name].value);
    fetch(form.dataset.autosave, { method: "POST", body: data, keepalive: true, headers: { "HX-Request": "true" } });
  });
}
