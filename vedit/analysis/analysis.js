"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const { frames, length, shots, plots } = JSON.parse($("data").textContent);
  const film = $("film"), seek = $("seek"), play = $("play");

  // The preview keeps the film's own times, with fewer pictures where the film is long.
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

  const buttons = [...document.querySelectorAll("[data-seconds]")];
  const ofShots = new Map(buttons.map((button) => [placeIn(shots, Number(button.dataset.seconds)), button]));
  const board = $("board");
  let number = 0, told = -1;
  function follow(button) {
    for (const one of buttons) one.classList.toggle("current", one === button);
    if (!button) return;
    const box = board.getBoundingClientRect(), at = button.getBoundingClientRect();
    if (at.top < box.top) board.scrollTop -= box.top - at.top + 8;
    else if (at.bottom > box.bottom) board.scrollTop += at.bottom - box.bottom + 8;
  }
  function tell(seconds) {
    number = placeIn(frames, seconds);
    if (document.activeElement !== seek || !film.paused) seek.value = number;
    seek.setAttribute("aria-valuetext", clockOf(seconds));
    $("clock").textContent = clockOf(seconds);
    const shot = placeIn(shots, seconds);
    $("shot").textContent = `shot ${shot + 1} of ${shots.length}`;
    if (shot !== told) follow(ofShots.get(shot));
    told = shot;
    for (const plot of drawn) plot.now(seconds);
  }
  let asked = null;
  function go(to, seconds) {
    const place = Math.min(frames.length - 1, Math.max(0, to));
    // The middle of the picture: a time on its edge may show the one before.
    const after = place + 1 < frames.length ? frames[place + 1] : length;
    const time = (frames[place] + after) / 2;
    seek.value = place;
    tell(seconds === undefined ? frames[place] : seconds);
    number = place;
    if (film.seeking) asked = time; else film.currentTime = time;
  }
  film.addEventListener("seeked", () => {
    if (asked !== null) { film.currentTime = asked; asked = null; }
  });
  function show(seconds) {
    film.pause();
    go(placeIn(frames, seconds), seconds);
  }

  const each = () => { if (!film.paused) tell(film.currentTime); requestAnimationFrame(each); };
  requestAnimationFrame(each);
  film.addEventListener("loadeddata", () => { document.documentElement.dataset.ready = "true"; });
  film.addEventListener("error", () => {
    $("hint").textContent = "This browser cannot play the preview (H.264 in MP4).";
  });
  const toggle = () => {
    if (!film.paused) return film.pause();
    if (number === frames.length - 1) { go(0); film.addEventListener("seeked", () => film.play(), { once: true }); }
    else film.play();
  };
  const state = () => {
    play.classList.toggle("playing", !film.paused);
    play.setAttribute("aria-label", film.paused ? "Play" : "Pause");
  };
  film.addEventListener("play", state);
  film.addEventListener("pause", state);
  film.addEventListener("click", toggle);
  play.addEventListener("click", toggle);
  const step = (by) => { film.pause(); go(number + by); };
  $("back").addEventListener("click", () => step(-1));
  $("on").addEventListener("click", () => step(1));
  seek.addEventListener("input", () => { film.pause(); go(Number(seek.value)); });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("button, input, .area")) return;
    if (event.key === " ") toggle();
    else if (event.key === ",") step(-1);
    else if (event.key === ".") step(1);
    else return;
    event.preventDefault();
  });

  const drawn = [...document.querySelectorAll(".plot")].map((figure) => {
    const { seconds, lines, decimals } = plots[Number(figure.dataset.plot)];
    const area = figure.querySelector(".area"), cursor = figure.querySelector(".cursor");
    const nowLine = figure.querySelector(".now"), readings = [...figure.querySelectorAll(".reading em")];
    let place = 0, held = 0;
    const nearest = (time) => {
      const low = placeIn(seconds, time), high = Math.min(seconds.length - 1, low + 1);
      return Math.abs(seconds[high] - time) < Math.abs(time - seconds[low]) ? high : low;
    };
    const read = (index) => {
      place = index;
      const words = lines.map((line) => (line[index] === null ? "–" : line[index].toFixed(decimals)));
      words.forEach((word, i) => { readings[i].textContent = word; });
      area.setAttribute("aria-valuenow", index);
      area.setAttribute("aria-valuetext", `${clockOf(seconds[index])}: ${words.join(", ")}`);
    };
    const follow = (time) => {
      cursor.style.display = "block";
      cursor.style.left = (100 * time) / length + "%";
      read(nearest(time));
    };
    const leave = () => { for (const other of drawn) other.unpoint(); };
    const point = (time) => { for (const other of drawn) other.follow(time); };
    const timeOf = (event) => {
      const box = area.getBoundingClientRect();
      return Math.min(length, Math.max(0, (length * (event.clientX - box.left)) / box.width));
    };
    area.addEventListener("pointermove", (event) => point(timeOf(event)));
    area.addEventListener("pointerleave", leave);
    area.addEventListener("click", (event) => show(timeOf(event)));
    area.addEventListener("blur", leave);
    area.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: place - 1, ArrowDown: place - 1, ArrowRight: place + 1, ArrowUp: place + 1,
        PageDown: place - 10, PageUp: place + 10, Home: 0, End: seconds.length - 1 }[event.key];
      if (event.key === "Enter" || event.key === " ") show(seconds[place]);
      else if (to !== undefined) point(seconds[Math.min(seconds.length - 1, Math.max(0, to))]);
      else return;
      event.preventDefault();
    });
    return {
      follow,
      now(time) {
        held = time;
        nowLine.style.display = "block";
        nowLine.style.left = (100 * time) / length + "%";
        if (cursor.style.display !== "block") read(nearest(time));
      },
      unpoint() {
        cursor.style.display = "none";
        read(nearest(held));
      },
    };
  });

  for (const button of [...buttons, ...document.querySelectorAll("[data-moment]")]) {
    button.addEventListener("click", () => {
      show(Number(button.dataset.seconds || button.dataset.moment));
      film.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    });
  }

  // A blob, not a data URL: Safari seeks only in the former.
  const text = atob($("bytes").textContent.trim());
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  film.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
  tell(0);
})();
