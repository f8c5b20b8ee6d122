// Keeps the bar above Locust's page up to date. All words come from the server, and are shown as text.
const bar = document.getElementById("tfsload-bar");
const INTERVAL_MS = 2000;
let failures = 0;

const part = (name) => bar.querySelector(`[data-part="${name}"]`);

function say(name, words) {
  const element = part(name);
  if (element.textContent !== words) {
    element.textContent = words; // else who hears the page would hear it again
  }
}

// Keys reach what is longer than its room; a browser may not see to that.
function letKeysScroll() {
  for (const one of bar.querySelectorAll("p")) {
    if (one.scrollHeight > one.clientHeight) {
      one.tabIndex = 0;
    } else {
      one.removeAttribute("tabindex");
    }
  }
}

function show(told) {
  part("state").dataset.state = told.key;
  say("state", told.state);
  say("more", told.more);
  say("note", told.note);
  part("note").hidden = !told.note;
  say("refused", told.refusal);
  part("refusal").hidden = !told.refusal;
  const link = part("link");
  link.hidden = !told.address;
  link.href = told.address || "#";
  say("link", told.link);
  letKeysScroll();
}

function showSilence(words) {
  part("state").dataset.state = "none";
  say("state", "Not known");
  say("more", words);
}

async function look() {
  try {
    const reply = await fetch(bar.dataset.address, { cache: "no-store", redirect: "error" });
    if (reply.status === 401) {
      showSilence("log in first: load this page again");
      return;
    }
    if (!reply.ok) {
      throw new Error(`HTTP ${reply.status}`);
    }
    show(await reply.json());
    failures = 0;
  } catch (error) {
    failures += 1;
    if (failures === 3) {
      showSilence(`the web UI does not answer (${error.message}); this bar goes on asking`);
    }
  }
  setTimeout(look, INTERVAL_MS);
}

setTimeout(look, INTERVAL_MS);
addEventListener("resize", letKeysScroll);
letKeysScroll();
