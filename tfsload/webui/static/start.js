// Keeps what the start page says true: what Check has found is of what was checked, and Start is there while no run is
// under way, also in a page that the browser has kept and shows again.
const form = document.querySelector("form.start");
const address = form.getAttribute("data-now"); // its field that is called dataset stands before its own one
const INTERVAL_MS = 2000;
const title = document.title;
let asking = 0;
let isUnderWay = !document.getElementById("under-way").hidden;

const held = () => new URLSearchParams(new FormData(form)).toString();
const asSent = held();

function showWhen(what, isSo) {
  for (const one of document.querySelectorAll(`[data-when=${what}]`)) {
    one.hidden = !isSo;
  }
}

// That it can start is said of no form that cannot: neither of a changed one nor while a run is under way.
function show() {
  const isEdited = held() !== asSent;
  showWhen("as-sent", !isEdited && !isUnderWay);
  showWhen("edited", isEdited && !isUnderWay);
  showWhen("busy", isUnderWay);
  showWhen("idle", !isUnderWay);
  for (const one of form.querySelectorAll("button[name=action]")) {
    one.disabled = isUnderWay;
  }
  document.title = isEdited || isUnderWay ? title.replace("Can start as checked", "Start a run") : title;
}

async function look() {
  clearTimeout(asking);
  try {
    const reply = await fetch(address, { cache: "no-store", redirect: "error" });
    if (reply.ok) {
      isUnderWay = (await reply.json()).is_under_way;
      show();
    }
  } catch {
    // The web UI does not answer just now: what is shown stays.
  }
  clearTimeout(asking); // somebody may have looked meanwhile
  if (isUnderWay) {
    asking = setTimeout(look, INTERVAL_MS);
  }
}

for (const what of ["input", "change"]) {
  form.addEventListener(what, show);
}
addEventListener("pageshow", () => {
  show();
  look();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    look();
  }
});
