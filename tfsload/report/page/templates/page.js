"use strict";
// What can be read on the page needs no script. This one shows what a chart's mark stands for, where it is pointed at.
const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
document.body.append(tip);

function show(event) {
  const mark = event.target.closest(".chart svg [aria-label]");
  const text = mark && mark.matches("[aria-roledescription$='mark'], [aria-roledescription='bar'], [aria-roledescription='point'], [aria-roledescription='circle']") ? mark.getAttribute("aria-label") : "";
  tip.hidden = !text;
  if (!text) {
    return;
  }
  tip.textContent = text;
  const width = tip.offsetWidth;
  const left = Math.min(Math.max(event.clientX - width / 2, 4), document.documentElement.clientWidth - width - 4);
  tip.style.left = `${left}px`;
  tip.style.top = `${Math.max(event.clientY - tip.offsetHeight - 12, 4)}px`;
}

document.addEventListener("pointermove", show);
document.addEventListener("pointerdown", show);
document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
