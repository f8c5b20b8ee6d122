// Loads the page again once there is more to be seen than that something is waited for; until then nothing moves, so
// that whoever goes by the keyboard keeps the place.
async function look() {
  try {
    const reply = await fetch(location.href, { cache: "no-store" });
    if (!reply.ok || !(await reply.text()).includes("data-waits")) {
      location.replace(reply.ok ? reply.url : location.href);
      return;
    }
  } catch {
    // The web UI does not answer just now.
  }
  setTimeout(look, 1000);
}
setTimeout(look, 1000);
