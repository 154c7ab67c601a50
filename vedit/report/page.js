"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const { frames, passages, length } = data;
  const film = $("film"), screen = $("screen"), wipe = $("wipe"), seek = $("seek"), play = $("play");
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

  const stage = screen.parentElement;
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

  // Time: the preview's own, the film's, and the number of the preview's picture.
  const last = passages[passages.length - 1];
  const end = last[0] + last[2];
  function numberAt(time) {
    let low = 0, high = frames.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (frames[middle] <= time + 1e-4) low = middle; else high = middle - 1;
    }
    return low;
  }
  function inFilm(time) {
    const passage = [...passages].reverse().find((one) => one[0] <= time + 1e-4) || passages[0];
    return passage[1] + Math.max(0, time - passage[0]);
  }
  function inPreview(seconds) {
    const held = passages.find((one) => seconds < one[1] + one[2] - 1e-4 && seconds >= one[1] - 1e-4);
    if (held) return held[0] + Math.max(0, seconds - held[1]);
    return null;
  }
  function clockOf(seconds) {
    const whole = Math.floor(seconds + 5e-4), rest = Math.max(0, Math.round(1000 * (seconds - whole)));
    const two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return (hours ? hours + ":" + two(minutes) : minutes) + ":" + two(whole % 60) + "." + String(rest).padStart(3, "0");
  }

  let number = 0;
  function tell(time) {
    number = numberAt(time);
    const seconds = inFilm(frames[number]);
    if (document.activeElement !== seek || !film.paused) seek.value = number;
    seek.setAttribute("aria-valuetext", clockOf(seconds));
    $("clock").textContent = clockOf(seconds);
    for (const plot of drawn) plot.now(seconds);
  }
  let asked = null;
  function go(to) {
    number = Math.min(frames.length - 1, Math.max(0, to));
    // The middle of the picture: a time on its edge may show the one before.
    const after = number + 1 < frames.length ? frames[number + 1] : end;
    const time = (frames[number] + after) / 2;
    seek.value = number;
    tell(frames[number]);
    if (film.seeking) asked = time; else film.currentTime = time;
  }
  film.addEventListener("seeked", () => {
    draw();
    if (asked !== null) { film.currentTime = asked; asked = null; }
  });
  function show(seconds) {
    const time = inPreview(seconds);
    $("hint").classList.toggle("away", time === null);
    film.pause();
    if (time !== null) return go(numberAt(time));
    const near = passages.reduce((a, b) => (Math.abs(b[1] - seconds) < Math.abs(a[1] - seconds) ? b : a));
    go(numberAt(near[0]));
  }

  const shown = (_, picture) => {
    draw();
    if (!film.paused) tell(picture.mediaTime);
    film.requestVideoFrameCallback(shown);
  };
  if (film.requestVideoFrameCallback) film.requestVideoFrameCallback(shown);
  else {
    const each = () => { draw(); if (!film.paused) tell(film.currentTime); requestAnimationFrame(each); };
    requestAnimationFrame(each);
  }
  film.addEventListener("loadeddata", () => { draw(); document.documentElement.dataset.ready = "true"; });
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
  play.addEventListener("click", toggle);
  const step = (by) => { film.pause(); go(number + by); };
  $("back").addEventListener("click", () => step(-1));
  $("on").addEventListener("click", () => step(1));
  seek.addEventListener("input", () => { film.pause(); go(Number(seek.value)); });
  $("speed").addEventListener("change", () => { film.playbackRate = Number($("speed").value); });
  film.loop = $("loop").checked;
  $("loop").addEventListener("change", () => { film.loop = $("loop").checked; });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("button, select, input, a, .area")) return;
    if (event.key === " ") toggle();
    else if (event.key === ",") step(-1);
    else if (event.key === ".") step(1);
    else return;
    event.preventDefault();
  });

  // Plots.
  const drawn = [...document.querySelectorAll(".plot")].map((figure) => {
    const { seconds, lines, decimals } = data.plots[Number(figure.dataset.plot)];
    const area = figure.querySelector(".area"), cursor = figure.querySelector(".cursor");
    const nowLine = figure.querySelector(".now"), readings = [...figure.querySelectorAll(".reading em")];
    let place = 0, pointed = false;
    const nearest = (time) => {
      let low = 0, high = seconds.length - 1;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (seconds[middle] <= time) low = middle; else high = middle;
      }
      return Math.abs(seconds[high] - time) < Math.abs(time - seconds[low]) ? high : low;
    };
    const before = (time) => {
      const near = nearest(time);
      return seconds[near] > time + 1e-4 && near > 0 ? near - 1 : near;
    };
    const read = (index) => {
      place = index;
      const words = lines.map((line) => (line[index] === null ? "–" : line[index].toFixed(decimals)));
      words.forEach((word, i) => { readings[i].textContent = word; });
      area.setAttribute("aria-valuenow", index);
      area.setAttribute("aria-valuetext", `${clockOf(seconds[index])}: ${words.join(", ")}`);
    };
    const point = (index) => {
      pointed = true;
      cursor.style.display = "block";
      cursor.style.left = (100 * seconds[index]) / length + "%";
      for (const other of drawn) if (other.figure !== figure) other.follow(seconds[index]);
      read(index);
    };
    const timeOf = (event) => {
      const box = area.getBoundingClientRect();
      return (length * (event.clientX - box.left)) / box.width;
    };
    const leave = () => {
      pointed = false;
      for (const other of drawn) other.unpoint();
    };
    area.addEventListener("pointermove", (event) => point(nearest(timeOf(event))));
    area.addEventListener("pointerleave", leave);
    area.addEventListener("click", (event) => { place = nearest(timeOf(event)); show(seconds[place]); });
    area.addEventListener("blur", leave);
    area.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: place - 1, ArrowDown: place - 1, ArrowRight: place + 1, ArrowUp: place + 1,
        PageDown: place - 10, PageUp: place + 10, Home: 0, End: seconds.length - 1 }[event.key];
      if (event.key === "Enter" || event.key === " ") show(seconds[place]);
      else if (to !== undefined) point(Math.min(seconds.length - 1, Math.max(0, to)));
      else return;
      event.preventDefault();
    });
    let held = 0;
    return {
      figure,
      now(time) {
        held = time;
        nowLine.style.display = "block";
        nowLine.style.left = (100 * time) / length + "%";
        if (!pointed && cursor.style.display !== "block") read(before(time));
      },
      follow(time) {
        cursor.style.display = "block";
        cursor.style.left = (100 * time) / length + "%";
        read(before(time));
      },
      unpoint() {
        cursor.style.display = "none";
        read(before(held));
      },
    };
  });

  for (const button of document.querySelectorAll("[data-seconds]")) {
    button.addEventListener("click", () => {
      show(Number(button.dataset.seconds));
      stage.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    });
  }
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const text = $(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(text);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }

  // A blob, not a data URL: Safari seeks only in the former.
  const text = atob($("bytes").textContent.trim());
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  film.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
  setSplit(0.5);
  tell(0);
})();
