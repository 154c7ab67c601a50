// Two films of one length are kept in step: what is done to one is done to the other.
const films = () => [...element.querySelectorAll("video")];
const other = (film) => films().find((one) => one !== film);
const alike = (film) => other(film) && Math.abs(film.duration - other(film).duration) < 0.1;

for (const name of ["play", "pause", "seeked", "ratechange"])
  element.addEventListener(name, (event) => {
    const film = event.target, twin = other(film);
    if (!twin || !alike(film)) return;
    if (name === "ratechange") twin.playbackRate = film.playbackRate;
    else if (name === "seeked") {
      if (Math.abs(twin.currentTime - film.currentTime) > 0.05) twin.currentTime = film.currentTime;
    } else if (twin.paused !== film.paused) film.paused ? twin.pause() : twin.play().catch(() => {});
  }, true);

element.addEventListener("loadeddata", (event) => {
  event.target.muted = true;
  event.target.play().catch(() => {});
}, true);
