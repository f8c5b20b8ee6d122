// Loads the page again once there is more to be seen than that something is waited for; until then nothing moves, so
// that whoever goes by the keyboard keeps the place. The page that is next says by a header whether it waits, too:
// nothing of it is fetched before.
async function look() {
  try {
    const reply = await fetch(location.href, { method: "HEAD", cache: "no-store" });
    if (!reply.ok || !reply.headers.has("Tfsload-Waits")) {
      location.replace(reply.ok ? reply.url : location.href);
      return;
    }
  } catch {
    // The web UI does not answer just now.
  }
  setTimeout(look, 1000);
}
setTimeout(look, 1000);
