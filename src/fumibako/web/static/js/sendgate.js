// The last gate before sending: counts what is still open, says where the first open item is, asks inside the warning
// hours, and lets one press through. The server judges everything again.

const half = (text) => text.normalize("NFKC").replace(/[,\s、，]/g, "");

function isOpen(item, form) {
  if (item.type === "checkbox") return !item.checked;
  if (item.dataset.gate === "count") return half(item.value) !== item.dataset.count;
  if (item.dataset.gate === "when") return form.elements.start.value === "at" && !item.value;
  return true; // a finding that stops the job
}

function refresh(form, button, message) {
  const open = [...form.elements].filter((item) => item.dataset.gate && isOpen(item, form));
  const first = open[0];
  if (first) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
  message.dataset.leadsTo = first ? (first.dataset.target ?? first.id) : "";
  const words = first ? `あと <b class="num">${open.length}</b> 項目の確認で送信できます` : "確認が終わりました。送信できます";
  if (message.dataset.shown !== words) message.firstElementChild.innerHTML = message.dataset.shown = words;
  button.querySelector(".mo").textContent = first ? `あと${open.length}項目` : "";
  return open.length;
}

// Each tick leads once to what it stands for.
function jump(box) {
  const place = box.checked && !box.dataset.jumped && document.getElementById(box.dataset.jump);
  if (!place) return;
  box.dataset.jumped = "1";
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  place.scrollIntoView({ block: "nearest", behavior: isStill ? "auto" : "smooth" });
}

function guard(form) {
  const button = document.querySelector("[data-gate-go]");
  const message = document.getElementById(button.getAttribute("aria-describedby"));
  const dialog = document.getElementById("warning-hours");
  const accepted = form.elements.accept_warning_hours;
  const look = () => refresh(form, button, message);

  document.addEventListener("input", look);
  document.addEventListener("change", (event) => {
    look();
    if (event.target.dataset.jump) jump(event.target);
  });
  document.addEventListener("htmx:afterSettle", look);

  form.addEventListener("submit", (event) => {
    if (event.submitter !== button) return;
    if (look()) return event.preventDefault();
    if (dialog && form.elements.start.value !== "at" && accepted.value !== "yes") {
      event.preventDefault();
      dialog.showModal();
      return;
    }
    button.querySelector("[data-label]").textContent = "受け付けています…";
  });
  dialog?.querySelector("[data-no]").addEventListener("click", () => {
    dialog.close();
    button.focus();
  });
  dialog?.querySelector("[data-gate-yes]").addEventListener("click", () => {
    accepted.value = "yes";
    dialog.close();
    form.requestSubmit(button);
  });
  // Back from the next page: the browser may show this page as it was left, but the job has moved on.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  look();
}

const form = document.querySelector("form[data-sendgate]");
if (form) guard(form);
