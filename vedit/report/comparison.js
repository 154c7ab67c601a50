const screen = $("screen"), wipe = $("wipe"), stage = screen.parentElement;
const paper = screen.getContext("2d");
const { width, height } = screen;

// The preview holds both films in one picture, the reference above the result: they cannot drift apart.
let split = 0.5;
function draw() {
  if (film.readyState < 2) return;
  const at = Math.round(split * width);
  if (at > 0) paper.drawImage(film, 0, 0, at, height, 0, 0, at, height);
  if (at < width) paper.drawImage(film, at, height, width - at, height, at, 0, width - at, height);
}
function setSplit(part) {
  split = Math.min(1, Math.max(0, part));
  const percent = Math.round(100 * split);
  wipe.style.left = 100 * split + "%";
  wipe.setAttribute("aria-valuenow", percent);
  wipe.setAttribute("aria-valuetext", `reference on the left ${percent} percent`);
  document.querySelector(".tag.reference").classList.toggle("gone", split < 0.14);
  document.querySelector(".tag.result").classList.toggle("gone", split > 0.88);
  draw();
}
const drag = (event) => {
  const box = stage.getBoundingClientRect();
  setSplit((event.clientX - box.left) / box.width);
};
stage.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  stage.setPointerCapture(event.pointerId);
  drag(event);
  wipe.focus({ preventScroll: true });
  event.preventDefault();
});
stage.addEventListener("pointermove", (event) => {
  if (stage.hasPointerCapture(event.pointerId)) drag(event);
});
wipe.addEventListener("keydown", (event) => {
  const step = event.shiftKey ? 0.1 : 0.02;
  const to = { ArrowLeft: split - step, ArrowDown: split - step, ArrowRight: split + step, ArrowUp: split + step,
    PageDown: split - 0.1, PageUp: split + 0.1, Home: 0, End: 1 }[event.key];
  if (to === undefined) return;
  setSplit(to);
  event.preventDefault();
});
setSplit(0.5);
watched({ draw });
