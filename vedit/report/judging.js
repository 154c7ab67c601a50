const { mode, rounds, questions, candidates, clips } = data;
const rating = mode === "rating";

// Chance: a judge's order comes of the page, its seed and the judge, so that it can be had again.
function dice(text) {
  let state = 2166136261;
  for (const letter of text) state = Math.imul(state ^ letter.codePointAt(0), 16777619);
  return () => { // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
function shuffled(list, random) {
  const mixed = [...list];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
  }
  return mixed;
}
const alike = (a, b) => a.clip === b.clip && [...a.shown].sort().join() === [...b.shown].sort().join();

// Rounds, in each of which every pair of every clip comes once; a pair changes sides from one time to the next.
function planned(judge) {
  const random = dice(`${data.page} ${data.seed} ${judge}`);
  const pairs = candidates.flatMap((a, i) => candidates.slice(i + 1).map((b) => [a, b]));
  const groups = shuffled(rating ? candidates.map((one) => [one]) : pairs, random);
  const order = shuffled(clips.map((_, i) => i), random);
  const sides = groups.map(() => random() < 0.5);
  // Each as often as the other over all pairs, too.
  groups.forEach((_, i) => { if (i % 2) sides[i] = !sides[i - 1]; });
  const trials = [];
  for (let round = 0; round < rounds; round++) {
    const block = groups.flatMap((group, i) => order.map((clip, at) => {
      const turned = sides[i] === ((at + round) % 2 === 0);
      return { clip, shown: turned ? [...group].reverse() : [...group] };
    }));
    const mixed = shuffled(block, random);
    if (trials.length && mixed.length > 1 && alike(mixed[0], trials[trials.length - 1])) mixed.push(mixed.shift());
    trials.push(...mixed);
  }
  return [{ ...trials[Math.floor(random() * trials.length)], training: true }, ...trials];
}

// What is kept in the browser.
const place = "vedit judge " + data.page;
function fresh() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  const judge = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { judge, name: "", begun: false, saved: false, trials: planned(judge), answers: [] };
}
function trouble(words) {
  $("trouble").textContent = words;
  $("trouble").hidden = false;
}
function keep() {
  try {
    localStorage.setItem(place, JSON.stringify(state));
  } catch {
    trouble("This browser keeps nothing of this page: do not close or reload it before you have saved your answers.");
  }
}
function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(place));
    return found && Array.isArray(found.trials) && Array.isArray(found.answers) ? found : null;
  } catch {
    return null;
  }
}
let state = kept() || fresh();

// One film holds all versions, one above the other, so that they cannot drift apart.
const canvases = [...document.querySelectorAll("canvas")];
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
let trial = null, clip = null;

function draw() {
  if (!clip || film.readyState < 2 || film.videoWidth !== clip.width) return;
  for (const canvas of canvases) {
    const whose = canvas.dataset.shown;
    const row = whose === "source" ? 0 : clip.rows[trial.shown[Number(whose)]];
    canvas.getContext("2d").drawImage(film, 0, row * clip.height, clip.width, clip.height, 0, 0, clip.width, clip.height);
  }
}
const { load, go, start, loop, key: played } = player({ draw, complain: trouble });
function next(after) {
  const other = clip !== clips[after.clip];
  trial = after;
  clip = clips[after.clip];
  for (const canvas of canvases) [canvas.width, canvas.height] = [clip.width, clip.height];
  if (other) load(after.clip, clip);
  else {
    draw();
    go(0);
  }
  if (!calm) start();
}
// Used by mouse they give the arrow keys back to the answers.
$("seek").addEventListener("pointerup", () => $("seek").blur());
$("speed").addEventListener("change", () => $("speed").blur());

// Where the judge is.
let since = 0;
const asking = () => state.answers.length;
const over = () => asking() === state.trials.length * questions.length;
function show() {
  const at = !state.begun ? "start" : over() ? "end" : "trial";
  for (const id of ["start", "trial", "end"]) $(id).hidden = id !== at;
  if (at === "trial") {
    const asked = state.trials[Math.floor(asking() / questions.length)];
    $("question").textContent = questions[asking() % questions.length];
    const done = Math.max(0, asking() - questions.length), all = (state.trials.length - 1) * questions.length;
    $("progress").max = all;
    $("progress").value = done;
    $("count").textContent = asked.training ? "For practice" : `${done + 1} of ${all}`;
    $("undo").disabled = asking() === 0;
    if (asked !== trial) next(asked);
    since = performance.now();
  } else {
    film.pause();
  }
  if (at === "end") {
    $("change").hidden = state.saved;
    $("another").hidden = !state.saved;
    $("save").textContent = state.saved ? "Save results again" : "Save results";
    $("after").textContent = state.saved
      ? "Your answers are saved where your browser puts downloads. Send that file to whoever asked you for it."
      : "Save your answers and send the file to whoever asked you for them.";
  }
  // So that a screen reader reads what is new, and a key pressed again does not press the last button again.
  ($(at).querySelector("[tabindex='-1']") || $(at)).focus({ preventScroll: true });
}
function answer(value) {
  if ($("trial").hidden) return;
  const seconds = Math.round(performance.now() - since) / 1000;
  state.answers.push({ answer: rating ? Number(value) : value, seconds });
  keep();
  show();
}
function undo() {
  if (!state.begun || state.saved || !state.answers.length) return;
  state.answers.pop();
  keep();
  show();
}
function results() {
  const { judge, name } = state;
  const trials = state.answers.map(({ answer, seconds }, i) => {
    const { clip, shown, training } = state.trials[Math.floor(i / questions.length)];
    return { training: Boolean(training), clip, shown, question: i % questions.length, answer, seconds };
  }).filter((one) => !one.training).map(({ training, ...rest }) => rest);
  return { kind: "vedit judgement", version: 1, page: data.page, mode, questions, candidates, key: data.key,
    judge, name: name || null, saved: new Date().toISOString(), trials };
}
function save() {
  const text = JSON.stringify(results(), null, 1) + "\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `judgement-${data.page.slice(0, 6)}-${state.judge.slice(0, 6)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  state.saved = true;
  keep();
  show();
}

$("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  state.name = $("name").value.trim();
  state.begun = true;
  keep();
  show();
});
for (const button of document.querySelectorAll("[data-answer]")) {
  button.addEventListener("click", () => answer(button.dataset.answer));
}
$("undo").addEventListener("click", undo);
$("change").addEventListener("click", undo);
$("save").addEventListener("click", save);
$("another").addEventListener("click", () => {
  state = fresh();
  $("name").value = "";
  keep();
  show();
});
const answers = rating
  ? { 1: 1, 2: 2, 3: 3, 4: 4, 5: 5 }
  : { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "same" };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("[type=text], [type=range], select")) return;
  const { key } = event;
  if (key === "Enter" || (key === " " && event.target.closest("button, input"))) return;
  if (key === "Backspace") { if (!event.repeat) undo(); }
  else if ($("trial").hidden) return;
  else if (key in answers) { if (!event.repeat) answer(answers[key]); }
  else if (key === "Home") go(0);
  else if (key === "l" || key === "L") { $("loop").checked = !$("loop").checked; loop(); }
  else if (!played(key)) return;
  event.preventDefault();
});
show();
