// Keeps a page of figures fresh. Without it the page works the same, and is fresh when it is loaded.
"use strict";
const seconds = Number(document.body.dataset.fresh || 0);
if (seconds > 0) {
  let asking = false; // where the answer takes longer than a turn, one question is enough
  const look = async () => {
    const busy = document.activeElement && document.activeElement.matches("input, select, textarea");
    if (document.hidden || busy) return;
    const answer = await fetch(location.href, { headers: { "x-glance": "1" }, redirect: "error" }).catch(() => null);
    const stale = document.getElementById("stale");
    if (!answer || !answer.ok) {
      if (stale) stale.hidden = false;
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.querySelector("main");
    const now = document.querySelector("main");
    if (!next || !now) return;
    // Whoever reads with the keyboard stays at the link where they are, as long as there is one.
    const kept = now.contains(document.activeElement) && document.activeElement.getAttribute("href");
    now.innerHTML = next.innerHTML;
    if (kept) now.querySelector(`a[href="${CSS.escape(kept)}"]`)?.focus({ preventScroll: true });
  };
  setInterval(() => {
    if (asking) return;
    asking = true;
    look().finally(() => { asking = false; });
  }, seconds * 1000);
}
