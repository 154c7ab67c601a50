const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const film = $("film");

// Where a time is among others that rise: the last that is not later.
function placeIn(times, time) {
  let low = 0, high = times.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= time + 1e-4) low = middle; else high = middle - 1;
  }
  return low;
}
function clockOf(seconds) {
  const whole = Math.floor(seconds + 5e-4), rest = Math.max(0, Math.round(1000 * (seconds - whole)));
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return (hours ? hours + ":" + two(minutes) : minutes) + ":" + two(whole % 60) + "." + String(rest).padStart(3, "0");
}

// Plays the page's small films, one at a time, whose pictures' times are known. `draw` is called when there may be
// another picture, `tell` with its seconds in the film that it was made from, `complain` with words.
function player({ draw = () => {}, tell = () => {}, complain = (words) => { $("hint").textContent = words; } }) {
  const seek = $("seek"), play = $("play"), clock = $("clock");
  const urls = new Map();
  let frames = [], passages = [], number = 0, asked = null;

  function inFilm(time) {
    const [begin, seconds] = passages[placeIn(passages.map((one) => one[0]), time)];
    return seconds + Math.max(0, time - begin);
  }
  function at(place, seconds = inFilm(frames[place])) {
    number = place;
    if (document.activeElement !== seek || !film.paused) seek.value = number;
    seek.setAttribute("aria-valuetext", clockOf(seconds));
    if (clock) clock.textContent = clockOf(seconds);
    tell(seconds);
  }
  function go(to, seconds) {
    const place = Math.min(frames.length - 1, Math.max(0, to));
    const [begin, , length] = passages[passages.length - 1];
    // The middle of the picture: a time on its edge may show the one before.
    const time = (frames[place] + (place + 1 < frames.length ? frames[place + 1] : begin + length)) / 2;
    seek.value = place;
    at(place, seconds);
    if (film.seeking) asked = time; else film.currentTime = time;
  }
  // A time in the film, or where it is not in the small one, what is next to it.
  function show(seconds) {
    film.pause();
    const held = passages.find((one) => seconds < one[1] + one[2] - 1e-4 && seconds >= one[1] - 1e-4);
    $("hint").classList.toggle("away", !held);
    if (held) return go(placeIn(frames, held[0] + Math.max(0, seconds - held[1])), seconds);
    const far = (one) => Math.abs(one[1] - seconds);
    go(placeIn(frames, passages.reduce((a, b) => (far(b) < far(a) ? b : a))[0]));
  }
  function load(index, { frames: times, passages: runs }) {
    [frames, passages, asked] = [times, runs, null];
    seek.max = frames.length - 1;
    if (!urls.has(index)) {
      // A blob, not a data URL: Safari seeks only in the former.
      const text = atob($("film" + index).textContent.trim());
      const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
      urls.set(index, URL.createObjectURL(new Blob([bytes], { type: "video/mp4" })));
    }
    film.src = urls.get(index);
    at(0);
  }

  film.addEventListener("seeked", () => {
    draw();
    if (asked !== null) { film.currentTime = asked; asked = null; }
  });
  const shown = (_, picture) => {
    draw();
    if (!film.paused) at(placeIn(frames, picture.mediaTime));
    film.requestVideoFrameCallback(shown);
  };
  if (film.requestVideoFrameCallback) film.requestVideoFrameCallback(shown);
  else {
    const each = () => {
      draw();
      if (!film.paused) at(placeIn(frames, film.currentTime));
      requestAnimationFrame(each);
    };
    requestAnimationFrame(each);
  }
  film.addEventListener("loadeddata", () => { draw(); document.documentElement.dataset.ready = "true"; });
  film.addEventListener("error", () => complain("This browser cannot play the film (H.264 in MP4). Try another one."));

  const start = () => film.play().catch(() => {});
  const toggle = () => {
    if (!film.paused) return film.pause();
    if (number < frames.length - 1) return start();
    go(0);
    film.addEventListener("seeked", start, { once: true });
  };
  const state = () => {
    play.classList.toggle("playing", !film.paused);
    play.setAttribute("aria-label", film.paused ? "Play" : "Pause");
  };
  film.addEventListener("play", state);
  film.addEventListener("pause", state);
  play.addEventListener("click", toggle);
  const step = (by) => { film.pause(); go(number + by); };
  $("back").addEventListener("click", () => step(-1));
  $("on").addEventListener("click", () => step(1));
  seek.addEventListener("input", () => { film.pause(); go(Number(seek.value)); });
  const pace = () => { film.playbackRate = film.defaultPlaybackRate = Number($("speed").value); };
  $("speed").addEventListener("change", pace);
  const loop = () => { film.loop = $("loop").checked; };
  $("loop").addEventListener("change", loop);
  loop();

  // Whether a key is one of the player's; then it is done.
  const key = (key) => {
    if (key === " ") toggle();
    else if (key === ",") step(-1);
    else if (key === ".") step(1);
    else return false;
    return true;
  };
  return { load, go, show, start, toggle, key, loop };
}
