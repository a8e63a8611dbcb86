// 「あと 8秒取り消せます」: counts down and leaves when the time is up. The server alone decides whether it was in time.
// What had been written is with the server now.
for (const form of document.querySelectorAll("[data-undo]")) {
  const until = Date.now() + Number(form.dataset.undo) * 1000;
  sessionStorage.removeItem(`draft:${new URL(form.dataset.undoOf, location.href)}`);
  const left = form.querySelector("[data-undo-left]");
  const timer = setInterval(() => {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (seconds > 0) left.textContent = `あと ${seconds}秒`;
    else clearInterval(timer), form.closest(".undo").remove();
  }, 250);
}
