// Keeps a page of figures fresh. Without it the page works the same, and is fresh when it is loaded.
"use strict";
const seconds = Number(document.body.dataset.fresh || 0);
if (seconds > 0) {
  setInterval(async () => {
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
    const kept = document.activeElement && document.activeElement.id;
    if (next && now) now.innerHTML = next.innerHTML;
    if (kept) document.getElementById(kept)?.focus();
  }, seconds * 1000);
}
