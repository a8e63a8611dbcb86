// Tabs: arrow keys, one tab stop, the address keeps the open tab. Markup: [role=tablist][data-tabs=name] with links.
for (const list of document.querySelectorAll("[role='tablist']")) {
  const tabs = [...list.querySelectorAll("[role='tab']")];
  const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));

  function open(tab, focus) {
    for (const each of tabs) {
      const on = each === tab;
      each.setAttribute("aria-selected", String(on));
      each.tabIndex = on ? 0 : -1;
      panel(each).hidden = !on;
    }
    const field = document.querySelector("[data-tab-field]");
    if (field) field.value = tab.dataset.tab;
    const address = new URL(location.href);
    address.searchParams.set("tab", tab.dataset.tab);
    address.hash = "";
    history.replaceState(history.state, "", address);
    if (focus) tab.focus();
  }

  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role='tab']");
    if (!tab) return;
    event.preventDefault();
    open(tab, false);
  });
  list.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(event.target.closest("[role='tab']"));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1, " ": at }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    open(tabs.at(to % tabs.length), true);
  });
  for (const tab of tabs) panel(tab).addEventListener("reveal", () => open(tab, false));
}

// Links such as 「POP設定と共通」 lead to an item on another tab.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-reveal]");
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  target.dispatchEvent(new CustomEvent("reveal", { bubbles: true }));
  target.focus();
});
