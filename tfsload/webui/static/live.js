// Keeps the page of a run that goes on up to date: once a second what is counted, at each level's end all the rest.
// All words come from the server; what it made to be HTML is escaped there.
const live = document.getElementById("live");
const INTERVAL_MS = 1000;
// A little less than a chart's card has room for: charts are made for two widths.
const GAP_PX = 14;
let shownLevels = 0;
let failures = 0;

const text = (id, words) => {
  const element = document.getElementById(id);
  if (element.textContent !== words) {
    element.textContent = words;
  }
};

async function fetchJson(address) {
  const reply = await fetch(address, { cache: "no-store", redirect: "error" });
  if (reply.status === 204) {
    return null; // the run has ended meanwhile
  }
  if (!reply.ok) {
    throw new Error(`HTTP ${reply.status}`);
  }
  return reply.json();
}

function showWords(told) {
  const words = told.words;
  document.title = words.title;
  text("state", words.state);
  text("left", words.left);
  text("who", words.who);
  text("so-far", words.so_far);
  text("trouble", words.trouble);
  document.getElementById("trouble").hidden = !words.trouble;
  for (const [index, card] of words.cards.entries()) {
    for (const part of ["title", "value", "unit", "below"]) {
      live.querySelector(`[data-card="${index}"][data-part="${part}"]`).textContent = card[part];
    }
  }
  const whole = document.getElementById("share");
  if (whole) {
    whole.hidden = !words.has_share;
    whole.value = words.share;
  }
  for (const [index, step] of live.querySelectorAll(".steps li").entries()) {
    const isDone = index < words.levels_done;
    const isNow = index === words.levels_done;
    step.className = isDone ? "is-done" : isNow ? "is-now" : "";
    step.querySelector("progress").value = isDone ? 1 : isNow ? words.share : 0;
  }
  live.dataset.sequence = told.sequence;
}

async function draw(element, chart) {
  const widths = Object.keys(chart.specs).map(Number).sort((a, b) => b - a);
  const room = element.closest(".card").clientWidth - GAP_PX;
  const width = widths.find((one) => one <= room) ?? widths.at(-1);
  await vegaEmbed(element, { ...chart.specs[width], background: null }, {
    mode: "vega-lite", renderer: "svg", actions: false, ast: true, defaultStyle: false, tooltip: false, logLevel: 1,
  });
  const svg = element.querySelector("svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", chart.label);
}

let drawn = {};

async function drawAll(container) {
  if (typeof vegaEmbed === "undefined") {
    return; // it could not be fetched: the tables hold all figures
  }
  for (const element of container.querySelectorAll("[data-chart]")) {
    try {
      await draw(element, drawn[element.dataset.chart]);
    } catch (error) {
      element.textContent = `This chart could not be drawn (${error.message}); its figures stand in the tables.`;
    }
  }
}

// Made beside what is shown, charts and all, so that nothing jumps; null: the run has ended meanwhile.
async function makeLevels() {
  const told = await fetchJson(live.dataset.levels);
  if (!told) {
    return null;
  }
  shownLevels = told.sequence; // also where something goes wrong with it: not again each second
  const next = document.createElement("div");
  next.innerHTML = told.html;
  next.className = "being-drawn";
  drawn = told.charts;
  document.getElementById("levels-so-far").after(next);
  await drawAll(next);
  return { told, next };
}

function showLevels({ told, next }) {
  const old = document.getElementById("levels-so-far");
  const open = new Set([...old.querySelectorAll("details[open] > summary")].map((one) => one.textContent));
  for (const summary of next.querySelectorAll("details > summary")) {
    summary.parentElement.open = open.has(summary.textContent);
  }
  old.remove();
  next.id = "levels-so-far";
  next.className = "";
  live.dataset.levelsSequence = told.sequence;
}

// All that is told at once is shown at once: that a level is done, by the words and by its row and charts.
async function show(told) {
  if (!told.levels_sequence || told.levels_sequence === shownLevels) {
    showWords(told);
    return;
  }
  const levels = await makeLevels();
  if (!levels) {
    return;
  }
  const now = await fetchJson(live.dataset.live).catch(() => told); // drawing takes a while
  if (now.words) {
    showWords(now);
    showLevels(levels);
  }
}

async function look() {
  try {
    const told = await fetchJson(live.dataset.live);
    failures = 0;
    if (told.state === "ended") {
      location.reload(); // what it came to is another page, which waits for its report: nothing of this one is left
      return;
    }
    if (told.words) {
      await show(told);
    }
    document.getElementById("silence").hidden = true;
  } catch (error) {
    failures += 1;
    if (failures === 3) {
      text("silence", `The web UI does not answer (${error.message}); this page goes on asking. Load it again to log in, where that is asked for.`);
      document.getElementById("silence").hidden = false;
    }
  }
  setTimeout(look, INTERVAL_MS);
}

let resizing = 0;
addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(() => drawAll(live), 300);
});
look();
