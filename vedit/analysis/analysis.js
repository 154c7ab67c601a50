const board = $("board");
const buttons = new Map([...board.querySelectorAll("[data-seconds]")].map((button) => [
  placeIn(data.shots, Number(button.dataset.seconds)), button,
]));
let told = -1;
function tell(seconds) {
  const shot = placeIn(data.shots, seconds);
  if (shot === told) return;
  told = shot;
  $("shot").textContent = `shot ${shot + 1} of ${data.shots.length}`;
  const current = buttons.get(shot);
  for (const one of buttons.values()) one.classList.toggle("current", one === current);
  if (!current) return;
  const box = board.getBoundingClientRect(), at = current.getBoundingClientRect();
  if (at.top < box.top) board.scrollTop -= box.top - at.top + 8;
  else if (at.bottom > box.bottom) board.scrollTop += at.bottom - box.bottom + 8;
}
const { toggle } = watched({ tell });
film.addEventListener("click", toggle);
