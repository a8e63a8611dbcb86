// メールアカウント設定 around its rules: この項目について, password, presets, sender preview, one-press changes, search.
import { announce } from "./fkeys.js";
import { put } from "./account_rules.js";

const form = document.getElementById("account");
const item = (name) => form.elements.namedItem(name);
const show = (id, on) => document.getElementById(id)?.toggleAttribute("hidden", !on);
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const HELP = read("help-data");
const PRESETS = read("preset-data");
const LABELS = (name) => HELP[name]?.[0] ?? name;

// この項目について follows the focus; F1 opens the list at the same item.
let focused = "";
document.addEventListener("focusin", (event) => {
  const key = event.target.closest("[data-help]")?.dataset.help;
  if (!key || !HELP[key]) return;
  focused = key;
  document.getElementById("hp-t").textContent = HELP[key][0];
  document.getElementById("hp-b").textContent = HELP[key][1];
  show("hp-p", key === "smtp_security" || key === "smtp_port");
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-dialog-open='help']") && focused) document.getElementById(`help-${focused}`)?.focus();
});

// A stored password is never used for another server or user: the page asks for it again.
const row = document.getElementById("password-row");
const change = row.querySelector("[data-change-password]");
const savedOf = (field) => field.dataset.saved ?? (field.type === "checkbox" ? (field.defaultChecked ? "1" : "") : field.defaultValue);
const nowOf = (field) => (field.type === "checkbox" ? (field.checked ? "1" : "") : field.value);
function differs(name) {
  const field = item(name);
  if (!(field instanceof RadioNodeList)) return nowOf(field) !== savedOf(field);
  const saved = field[0].closest("[data-saved]")?.dataset.saved ?? [...field].find((each) => each.defaultChecked)?.value;
  return field.value !== saved;
}
function watchPassword() {
  if (!change) return;
  const isLost = row.dataset.bound.split(" ").some(differs);
  show("password-kept", !isLost);
  show("pair-tag", !isLost);
  show("password-cleared", isLost);
  if (isLost) show("password-box", true);
}
change?.addEventListener("click", () => {
  show("password-box", true);
  change.setAttribute("aria-expanded", "true");
  item("password").focus();
});

function preview() {
  const [name, address] = [item("from_name").value, item("from_address").value];
  document.getElementById("pfn").textContent = name || address;
  document.getElementById("pfa").textContent = address;
  document.getElementById("pfi").textContent = [...(name || address)][0] ?? "";
  document.getElementById("pair-user").textContent = item("user_id").value || "(未入力)";
  const [from, to] = [item("warn_from").value, item("warn_to").value].map((text) => text.padStart(5, "0"));
  show("warn-next", Boolean(item("warn_from").value && item("warn_to").value && to < from));
  show("warn-usual", !item("warn_from").value && !item("warn_to").value);
}

let waiting = 0;
function speed(event) {
  if (!["batch_size", "sleep_seconds", "cc", "bcc", "preset"].includes(event.target.name)) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => window.htmx.trigger("#speed", "speed"), 300);
}
form.addEventListener("input", (event) => (preview(), watchPassword(), speed(event)));
form.addEventListener("change", (event) => (watchPassword(), speed(event)));
watchPassword();
preview();

// 提供会社から選ぶ: fills, lists what it filled, asks before it replaces what somebody typed.
const dialog = document.getElementById("ask-preset");
function fill(preset, isForced) {
  const filled = [];
  for (const [name, value] of Object.entries(preset.values)) {
    if (!differsFrom(name, value) || (!isForced && isTyped(name))) continue;
    put(name, value);
    filled.push(LABELS(name));
  }
  const place = document.getElementById("preset-filled");
  place.hidden = false;
  place.textContent = filled.length ? `${filled.length}項目を入力しました:${filled.join("、")}` : "変わる項目はありませんでした";
}
const differsFrom = (name, value) => {
  const field = item(name);
  return (field instanceof RadioNodeList ? field.value : nowOf(field)) !== value;
};
const isTyped = (name) => /_host$/.test(name) && item(name).value !== "";
item("preset").addEventListener("change", () => {
  const preset = PRESETS[item("preset").value];
  const note = document.getElementById("preset-note");
  note.hidden = !preset;
  if (!preset) return;
  const state = preset.verified ? `${preset.checked} に確認(${preset.source})` : `提供会社の案内での確認がまだです(${preset.source})`;
  note.querySelector("span:last-child").textContent = `${preset.note} 値の出どころ:${state}`;
  const typed = Object.entries(preset.values).filter(([name, value]) => isTyped(name) && differsFrom(name, value));
  if (!typed.length) return fill(preset, true);
  document.getElementById("ask-preset-list").textContent = typed.map(([name, value]) => `${LABELS(name)}(${item(name).value} → ${value})`).join("、");
  dialog.showModal();
});
dialog.addEventListener("click", (event) => {
  const answer = event.target.closest("[data-preset-answer]")?.dataset.presetAnswer;
  if (!answer) return;
  dialog.close();
  fill(PRESETS[item("preset").value], answer === "all");
});

// One-press changes from the connection test and the speed line; pins; 元に戻す; copying the server's reply.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-changes],[data-pin],[data-undo],[data-copy]");
  if (!button) return;
  if (button.dataset.changes) {
    for (const [name, value] of Object.entries(JSON.parse(button.dataset.changes))) put(name, value);
    announce(`${button.textContent.trim()}:入力しました。登録するまで保存しません。`);
  } else if (button.dataset.pin) {
    item(`${button.dataset.pin}_pinned_sha256`).value = button.dataset.fingerprint;
    window.htmx.trigger("#test-button", "click");
  } else if (button.dataset.copy) {
    navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent).then(() => announce("コピーしました"));
  } else {
    form.reset();
    setTimeout(() => form.dispatchEvent(new Event("change", { bubbles: true })));
  }
});
// A pin belongs to one server.
form.addEventListener("change", (event) => {
  const place = /^(pop|smtp)_(host|port)$/.exec(event.target.name);
  if (place) item(`${place[1]}_pinned_sha256`).value = "";
});

// メールアカウント検索: ↑↓ move between rows, Enter opens.
document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const list = event.target.closest("#found, .conds");
  if (!step || !list || event.target.matches("select") || event.isComposing) return;
  const rows = [...document.querySelectorAll("#found [data-choice]")];
  const at = rows.indexOf(event.target);
  event.preventDefault();
  rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))]?.focus();
});
