"""The page's scripts: its address, names for screen readers, downloads, a tap on a telephone."""

from __future__ import annotations

SCRIPT = """() => {
  const query = () => new URLSearchParams(location.search);
  const keep = (changes, added) => {
    const now = query();
    for (const [key, value] of Object.entries(changes))
      value === null || value === undefined || value === "" ? now.delete(key) : now.set(key, value);
    const text = now.toString();
    if (text === query().toString()) return;
    const address = location.pathname + (text ? "?" + text : "");
    added ? history.pushState(null, "", address) : history.replaceState(null, "", address);
  };
  const tab = rest => document.querySelector("#tabs > .tab-wrapper [role=tab]" + rest);
  let opened = false, back = false;
  window.posePage = {
    address: changes => {
      const another = changes.view !== (query().get("view") || "skeletons");
      if (opened) keep(changes, !back && another);
    },
    tab: () => {
      const name = tab("[aria-selected=true]")?.dataset.tabId;
      if (opened && name && name !== (query().get("tab") || "photo")) keep({tab: name}, !back);
    },
  };
  const settled = new MutationObserver(() => {
    if (!document.querySelector("#status .lines")) return;
    settled.disconnect();
    opened = true;
  });
  settled.observe(document.body, {childList: true, subtree: true});
  addEventListener("popstate", () => {
    back = true;
    const asked = query();
    tab(`[data-tab-id="${asked.get("tab") || "photo"}"]`)?.click();
    document.querySelector(`#views input[value="${asked.get("view") || "skeletons"}"]`)?.click();
    setTimeout(() => { back = false; }, 1000);
  });

  const label = (element, text) => {
    if (text && element.getAttribute("aria-label") !== text)
      element.setAttribute("aria-label", text);
  };
  const named = () => {
    for (const button of document.querySelectorAll("button.label-wrap")) {
      const open = String(button.classList.contains("open"));
      if (button.getAttribute("aria-expanded") !== open) button.setAttribute("aria-expanded", open);
    }
    for (const button of document.querySelectorAll("#examples button.gallery-item")) {
      const source = button.querySelector("img")?.src.split("/").pop().split(".")[0];
      label(button, source?.replaceAll("-", " "));
    }
    // Gradio calls the button that records "capture photo".
    for (const button of document.querySelectorAll("#webcam-in .capture-button"))
      label(button, button.textContent.trim());
    for (const field of document.querySelectorAll("input, textarea, select, button"))
      if (!field.labels?.length && !field.textContent.trim() && !field.getAttribute("aria-label")
          && !field.title)
        label(field, field.closest(".block")?.querySelector("[data-testid=block-info], label")
          ?.textContent.trim() || field.closest("[id]")?.id.replaceAll("-", " "));
  };
  let followed = null;
  const follow = () => {
    const link = document.querySelector("#download-link a");
    if (!link || link.href === followed) return;
    followed = link.href;
    link.click();
  };
  let waiting = 0;
  new MutationObserver(() => {
    if (!waiting) waiting = setTimeout(() => { waiting = 0; named(); follow(); }, 200);
  }).observe(document.body,
    {childList: true, subtree: true, attributes: true, attributeFilter: ["class", "href"]});
  named();

  // On a telephone the result is where the photo was: a tap shows before and after.
  document.addEventListener("click", event => {
    const picture = event.target.closest?.("#skeleton img");
    if (!picture || innerWidth > 640) return;
    event.stopPropagation();
    const photo = document.querySelector("#input-image img");
    const after = picture.dataset.after;
    if (after) { picture.src = after; delete picture.dataset.after; }
    else if (photo) { picture.dataset.after = picture.src; picture.src = photo.src; }
  }, true);
}"""
"""Given to `launch(js=…)`."""
