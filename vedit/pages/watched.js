// A film beside its plots and thumbnails: a plot is read where it is pointed at, and a click on either goes there.
function watched({ draw, tell = () => {} }) {
  const { load, show, toggle, key } = player({ draw, tell(seconds) {
    for (const plot of drawn) plot.now(seconds);
    tell(seconds);
  } });
  const { length } = data;
  const drawn = [...document.querySelectorAll(".plot")].map((figure) => {
    const { seconds, lines, decimals } = data.plots[Number(figure.dataset.plot)];
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
    const point = (index) => {
      for (const other of drawn) other.follow(seconds[index]);
      read(index);
    };
    const leave = () => { for (const other of drawn) other.unpoint(); };
    const pointed = (event) => {
      const box = area.getBoundingClientRect();
      return nearest((length * (event.clientX - box.left)) / box.width);
    };
    area.addEventListener("pointermove", (event) => point(pointed(event)));
    area.addEventListener("pointerleave", leave);
    area.addEventListener("click", (event) => show(seconds[pointed(event)]));
    area.addEventListener("blur", leave);
    area.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: place - 1, ArrowDown: place - 1, ArrowRight: place + 1, ArrowUp: place + 1,
        PageDown: place - 10, PageUp: place + 10, Home: 0, End: seconds.length - 1 }[event.key];
      if (event.key === "Enter" || event.key === " ") show(seconds[place]);
      else if (to !== undefined) point(Math.min(seconds.length - 1, Math.max(0, to)));
      else return;
      event.preventDefault();
    });
    return {
      now(time) {
        held = time;
        nowLine.style.display = "block";
        nowLine.style.left = (100 * time) / length + "%";
        if (cursor.style.display !== "block") read(placeIn(seconds, time));
      },
      follow(time) {
        cursor.style.display = "block";
        cursor.style.left = (100 * time) / length + "%";
        read(placeIn(seconds, time));
      },
      unpoint() {
        cursor.style.display = "none";
        read(placeIn(seconds, held));
      },
    };
  });

  const stage = document.querySelector(".stage");
  for (const button of document.querySelectorAll("[data-seconds]")) {
    button.addEventListener("click", () => {
      show(Number(button.dataset.seconds));
      stage.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("button, select, input, a, .area")) return;
    if (key(event.key)) event.preventDefault();
  });
  load(0, data);
  return { toggle };
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
