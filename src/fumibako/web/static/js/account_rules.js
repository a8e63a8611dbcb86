// Rules R1–R12 while typing; the server judges the same again. Greying itself is done by deps.js.
const form = document.getElementById("account");
const item = (name) => form.elements.namedItem(name);
const USUAL = { none: "25", starttls: "587", ssl: "465" };
const PORT_WORDS = { none: "暗号化しないときは 25 または 587", starttls: "TLS では通常 587", ssl: "SMTP over SSL では通常 465" };
const HOST_AND_PORT = /^\s*([^:\s/]+)[:\uff1a]([0-9\uff10-\uff19]{1,5})\s*$/;
const half = (text) => text.normalize("NFKC").trim();

export function put(name, value) {
  const field = item(name);
  if (!field) return;
  if (field.type === "checkbox") field.checked = Boolean(value);
  else field.value = value;
  const target = field instanceof RadioNodeList ? [...field].find((each) => each.checked) : field;
  target?.dispatchEvent(new Event("input", { bubbles: true }));
  target?.dispatchEvent(new Event("change", { bubbles: true }));
}

let moved = false; // R12 says what it did until the next choice

function showAuthentication() {
  const security = item("smtp_security").value;
  const isSafe = security !== "none";
  const auth = item("smtp_auth");
  if (isSafe) auth.checked = true; // R1
  auth.dataset.locked = isSafe ? "1" : "0";
  for (const method of item("smtp_auth_method")) {
    const isRefused = security === "starttls" && method.value !== "LOGIN" && form.dataset.plainWithTls !== "1"; // R2
    if (isRefused && method.checked) moved = true;
    method.dataset.locked = isRefused || !auth.checked ? "1" : "0";
  }
  if (moved) item("smtp_auth_method").value = "LOGIN"; // R12
  const note = document.getElementById("auth-note");
  document.getElementById("auth-row").hidden = !isSafe;
  const only = security === "starttls" && form.dataset.plainWithTls !== "1" ? "方式は LOGIN だけを選べます。" : "";
  const words = `「${security === "starttls" ? "TLS" : "SMTP over SSL"}」では、SMTP認証を必ず使用します。${only}`;
  note.lastElementChild.textContent = (moved ? "方式を PLAIN から LOGIN に変更しました。" : "") + words;
  document.getElementById("port-n").textContent = PORT_WORDS[security];
}

function showPort() {
  const [port, security] = [half(item("smtp_port").value), item("smtp_security").value];
  const place = document.getElementById("port-odd");
  let words = "";
  if (port === "465" && security === "starttls") words = "ポート番号465では、通信方法「TLS」を使えません。";
  else if (port === "465" && security === "none") words = "ポート番号465では、通信方法を空白にできません。";
  else if (port === "25") words = "25番は、社外への送信が止められていることが多い番号です。";
  else if (security === "ssl" && port === "587") words = "587番は通常、「SMTP over SSL」では使いません。";
  else if (/^(127\.|localhost$|\[?::1)/.test(item("smtp_host").value)) words = "";
  else if (security === "none" && item("smtp_auth").checked) words = "暗号化しないため、ユーザIDとパスワードがそのまま流れます。";
  else if (port && !["25", "465", "587"].includes(port)) words = "あまり使われない番号です。提供会社の案内と同じかを確認してください。";
  place.textContent = words;
  place.hidden = !words;
}

// Changing the way changes the port, unless somebody typed an unusual one on purpose.
function movePort() {
  const port = item("smtp_port");
  if (["", "25", "465", "587"].includes(half(port.value))) put("smtp_port", USUAL[item("smtp_security").value]);
}

function splitHost(name) {
  const found = HOST_AND_PORT.exec(item(`${name}_host`).value);
  if (!found) return;
  put(`${name}_host`, found[1]);
  put(`${name}_port`, half(found[2]));
}

// R7: where nothing is received, user and password are entered beside SMTP認証.
function movePair() {
  const isReceiving = item("receive_enabled").checked;
  const [pair, place] = [document.getElementById("pair"), document.getElementById(isReceiving ? "pair-pop" : "pair-smtp")];
  if (pair.parentElement !== place) place.prepend(pair); // moving it in the middle of a press would swallow the press
  document.getElementById("pair-line").hidden = !isReceiving;
}

function refresh() {
  showAuthentication();
  showPort();
  movePair();
  for (const row of form.querySelectorAll("[data-both]")) {
    row.hidden = !row.dataset.both.split(" ").every((name) => item(name).checked);
  }
}

form.addEventListener("change", (event) => {
  if (/^smtp_(security|auth_method)$/.test(event.target.name)) moved = false;
  if (event.target.name === "smtp_security") showAuthentication(), movePort();
  if (event.target.name === "pop_tls") put("pop_port", event.target.checked ? "995" : "110");
  if (event.target.name === "pop_host") splitHost("pop");
  if (event.target.name === "smtp_host") splitHost("smtp");
  refresh();
  form.dispatchEvent(new Event("deps"));
});
form.addEventListener("paste", (event) => {
  if (/^(pop|smtp)_host$/.test(event.target.name)) setTimeout(() => splitHost(event.target.name.split("_")[0]));
});
form.addEventListener("input", (event) => {
  if (event.target.name === "smtp_port") showPort();
});
refresh();

// 連絡区分: level 2 offers children of level 1, and so on; changing one clears what no longer fits.
function narrow(row) {
  const selects = [...row.querySelectorAll("select")].slice(0, 3);
  for (const [level, select] of selects.entries()) {
    if (level === 0) continue;
    const above = selects[level - 1].value;
    for (const option of select.options) option.hidden = option.disabled = Boolean(option.value) && option.dataset.parent !== above;
    if (select.selectedOptions[0]?.disabled) select.value = "";
  }
}
for (const row of form.querySelectorAll("[data-place]")) {
  row.addEventListener("change", () => narrow(row));
  narrow(row);
}
