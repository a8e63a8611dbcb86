// 次回対応: opening a tick puts the cursor into its line; Escape closes it again.
document.addEventListener(
  "toggle",
  (event) => {
    if (!event.target.matches(".tasks details") || !event.target.open) return;
    event.target.closest("li").querySelector("input[name='response']").focus();
  },
  true,
);
document.addEventListener("keydown", (event) => {
  const details = event.key === "Escape" && event.target.closest(".tasks li")?.querySelector("details[open]");
  if (!details) return;
  details.open = false;
  details.querySelector("summary").focus();
});
