// A frame of the film, and on it a mask that is drawn with a box, a brush and an eraser, in the film's own pixels.
//
// The value from the server: {frame, width, height, shape} shows a frame, {aside} hides it while no film is wanted, {draw}
// shows or hides the tools, {clear} wipes the mask. The value to the server: {drawing: null | {box: [x, y, w, h]} | {png: "data:…"}}, white = change.
const find = (words) => element.querySelector(words);
const [tools, stage, image, canvas, says] = [".tools", ".stage", "img", "canvas", "output"].map(find);
const colour = "rgb(255, 64, 64)";
let shapes = [], shape = null, tool = "box", pointer = null, framed = false, aside = false;

const layer = document.createElement("canvas");

function drawn(target, list) {
  target.clearRect(0, 0, canvas.width, canvas.height);
  for (const one of list) {
    target.globalCompositeOperation = one.tool === "eraser" ? "destination-out" : "source-over";
    target.fillStyle = target.strokeStyle = colour;
    if (one.tool === "box") {
      const [x, y, w, h] = box(one);
      target.fillRect(x, y, w, h);
    } else {
      target.lineWidth = one.size;
      target.lineCap = target.lineJoin = "round";
      target.beginPath();
      const [[x, y], ...others] = one.points;
      target.moveTo(x, y);
      target.lineTo(x + 0.01, y); // a line of no length would not be drawn
      for (const [a, b] of others) target.lineTo(a, b);
      target.stroke();
    }
  }
  target.globalCompositeOperation = "source-over";
}

// Whole pixels, inside the picture.
function box({from, to}) {
  const [left, right] = [from[0], to[0]].sort((a, b) => a - b).map((x) => clamp(Math.round(x), canvas.width));
  const [top, bottom] = [from[1], to[1]].sort((a, b) => a - b).map((y) => clamp(Math.round(y), canvas.height));
  return [left, top, right - left, bottom - top];
}

function clamp(value, most) {
  return Math.min(Math.max(value, 0), most);
}

function paint() {
  if (!canvas.width) return;
  drawn(layer.getContext("2d"), shape ? [...shapes, shape] : shapes);
  const target = canvas.getContext("2d");
  target.clearRect(0, 0, canvas.width, canvas.height);
  target.globalAlpha = 0.5;
  target.drawImage(layer, 0, 0);
  target.globalAlpha = 1;
  const line = Math.max(1, canvas.width / stage.clientWidth);
  for (const one of [...shapes, shape].filter((each) => each && each.tool === "box")) {
    target.strokeStyle = "white";
    target.lineWidth = 1.5 * line;
    target.strokeRect(...box(one));
  }
  if (pointer && tool !== "box" && !tools.hidden) {
    target.strokeStyle = "white";
    target.lineWidth = line;
    target.beginPath();
    target.arc(...pointer, brush() / 2, 0, 7);
    target.stroke();
  }
  const boxes = [...shapes, shape].filter(Boolean);
  const only = boxes.length === 1 && boxes[0].tool === "box" ? box(boxes[0]) : null;
  says.textContent = only ? `${only[2]} × ${only[3]} at ${only[0]}, ${only[1]}` : boxes.length ? "drawn" : hint();
}

function hint() {
  return tool === "box" ? "Drag a box over what is to go." : "Paint over what is to go.";
}

// The slider's 1 to 100 are a hundredth to half of the picture's width.
function brush() {
  const part = Number(find("[data-size]").value) / 100;
  return Math.max(2, canvas.width * (0.01 + 0.29 * part * part));
}

function send() {
  let drawing = null;
  if (shapes.length === 1 && shapes[0].tool === "box") drawing = {box: box(shapes[0])};
  else if (shapes.length) {
    drawn(layer.getContext("2d"), shapes);
    const mask = document.createElement("canvas");
    [mask.width, mask.height] = [canvas.width, canvas.height];
    const target = mask.getContext("2d");
    target.drawImage(layer, 0, 0);
    target.globalCompositeOperation = "source-in";
    target.fillStyle = "white";
    target.fillRect(0, 0, mask.width, mask.height);
    target.globalCompositeOperation = "destination-over";
    target.fillStyle = "black";
    target.fillRect(0, 0, mask.width, mask.height);
    drawing = {png: mask.toDataURL("image/png")};
  }
  props.value = {drawing};
}

function at(event) {
  const place = canvas.getBoundingClientRect();
  return [
    ((event.clientX - place.left) * canvas.width) / place.width,
    ((event.clientY - place.top) * canvas.height) / place.height,
  ];
}

canvas.addEventListener("pointerdown", (event) => {
  if (tools.hidden || event.button) return;
  canvas.setPointerCapture(event.pointerId);
  const place = at(event);
  shape = tool === "box" ? {tool, from: place, to: place} : {tool, size: brush(), points: [place]};
  paint();
});
canvas.addEventListener("pointermove", (event) => {
  pointer = at(event);
  if (shape && shape.tool === "box") shape.to = pointer;
  else if (shape) shape.points.push(pointer);
  paint();
});
canvas.addEventListener("pointerup", () => {
  const empty = shape && shape.tool === "box" && (box(shape)[2] === 0 || box(shape)[3] === 0);
  if (shape && !empty) {
    // A new box takes the place of the only one: most people mean to draw it again.
    if (shape.tool === "box" && shapes.length === 1 && shapes[0].tool === "box") shapes = [];
    shapes.push(shape);
  }
  const changed = shape && !empty;
  shape = null;
  paint();
  if (changed) send();
});
canvas.addEventListener("pointerleave", () => { pointer = null; paint(); });

tools.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.tool) {
    tool = button.dataset.tool;
    for (const one of tools.querySelectorAll("[data-tool]")) one.setAttribute("aria-pressed", String(one === button));
  } else {
    shapes = button.dataset.do === "undo" ? shapes.slice(0, -1) : [];
    send();
  }
  paint();
});

function take() {
  const given = props.value;
  if (!given || "drawing" in given) return;
  if (given.frame !== undefined) {
    framed = Boolean(given.frame);
    if (framed) {
      image.src = given.frame;
      if (canvas.width !== given.width || canvas.height !== given.height) {
        [canvas.width, canvas.height] = [layer.width, layer.height] = [given.width, given.height];
        shapes = [];
      }
      stage.style.aspectRatio = String(given.shape);
      stage.style.maxWidth = `calc(60vh * ${given.shape})`;
    }
  }
  if (given.aside !== undefined) aside = given.aside;
  stage.hidden = aside || !framed;
  find(".empty").hidden = !stage.hidden;
  find(".empty").textContent = `Drop ${aside ? "pictures" : "a film"} to begin.`;
  if (given.draw !== undefined) {
    tools.hidden = !given.draw;
    canvas.style.display = given.draw ? "" : "none";
  }
  if (given.clear) shapes = [];
  paint();
  send();
}

watch("value", take);
take();
