// Parallel coordinates: an axis for each chosen column, a line for each row that is shown.

const [TOP, BOTTOM, LEAST_STEP, LETTERS] = [46, 262, 120, 40];
const DECADES = 2; // of positive numbers, from which on the axis is logarithmic
const ruler = document.createElement("canvas").getContext("2d");
ruler.font = `11px ${getComputedStyle(document.body).fontFamily}`;
let lines = [];
let step = LEAST_STEP; // from axis to axis

function draw(name, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

// The end of a text, as much as stands between two axes: names differ at their ends.
function cut(text, width = step - 12) {
  let end = text.slice(-LETTERS);
  const shown = () => (end.length < text.length ? `…${end}` : end);
  while (end && ruler.measureText(shown()).width > width) end = end.slice(1);
  return shown();
}

function makeAxis(place, number) {
  const numbers = rows.map((row) => numberOf(row, place)).filter((value) => value !== null);
  const least = numbers.reduce((a, b) => Math.min(a, b), Infinity);
  const most = numbers.reduce((a, b) => Math.max(a, b), -Infinity);
  const isLog = isNumber(place) && least > 0 && most / least > 10 ** DECADES;
  const [scale, unscale] = isLog ? [Math.log, Math.exp] : [Number, Number];
  const [low, spread] = [scale(least), scale(most) - scale(least)];
  const share = (value) => (spread ? (scale(value) - low) / spread : 0.5);
  return {
    place, least, most, isLog, share,
    known: numbers.length,
    x: (number + 0.5) * step,
    y: (value) => BOTTOM - share(value) * (BOTTOM - TOP),
    value: (y) => (spread ? unscale(low + ((BOTTOM - y) / (BOTTOM - TOP)) * spread) : least),
  };
}

function drawAxis(axis) {
  const { place, x, least, most } = axis;
  const parts = [draw("line", { x1: x, x2: x, y1: TOP, y2: BOTTOM })];
  parts.push(...drawName(columns[place].name, x));
  if (axis.isLog) parts.push(draw("text", { ...centred(x), y: BOTTOM + 16, class: "tick" }, "log scale"));
  const known = values[place];
  const middle = axis.value((TOP + BOTTOM) / 2);
  const ticks = known ? known.map((text, at) => [at, text]) : [...new Set([least, middle, most])];
  for (const tick of ticks.slice(0, 12)) {
    const [at, text] = known ? tick : [tick, textOf(tick)];
    parts.push(draw("text", { x: x + 6, y: axis.y(at) + 4, class: "tick" }, cut(text, step - 18)));
  }
  const range = ranges.get(place);
  if (range) {
    const [y1, y2] = [Math.min(range[1], most), Math.max(range[0], least)].map(axis.y);
    parts.push(draw("rect", { x: x - 7, y: y1, width: 14, height: Math.max(2, y2 - y1), class: "range" }));
  }
  parts.push(drawHandle(axis));
  return parts;
}

const centred = (x) => ({ x, "text-anchor": "middle" });

// The last part of a dotted name, and above it what it belongs to.
function drawName(name, x) {
  const place = name.lastIndexOf(".") + 1;
  return [name.slice(0, place), name.slice(place)].map((part, line) => {
    const text = draw("text", { ...centred(x), y: 14 + 13 * line, class: "name" }, cut(part));
    text.append(draw("title", {}, name));
    return text;
  });
}

function drawHandle(axis) {
  const size = { x: axis.x - 14, y: TOP - 8, width: 28, height: BOTTOM - TOP + 16 };
  const handle = draw("rect", { ...size, class: "handle" });
  handle.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const at = (moved) => moved.clientY - byId("plot").getBoundingClientRect().top;
    const begin = at(event);
    const follow = (moved) => {
      const ends = [begin, at(moved)].map((y) => Math.min(BOTTOM + 1, Math.max(TOP - 1, y)));
      const isClick = Math.abs(ends[0] - ends[1]) < 4;
      const range = ends.map(axis.value).sort((a, b) => a - b);
      setRange(axis.place, ...(isClick ? [-Infinity, Infinity] : range));
      if (isNumber(axis.place)) byId("ranged").value = axis.place;
    };
    const end = (moved) => {
      window.removeEventListener("pointerup", end);
      follow(moved);
      update();
    };
    window.addEventListener("pointerup", end);
  });
  return handle;
}

function drawPlot() {
  const svg = byId("plot");
  // As many axes as are seen stand there whole: no name is cut off by the edge.
  const seen = Math.max(svg.parentElement.clientWidth, LEAST_STEP);
  step = seen / Math.floor(seen / LEAST_STEP);
  const known = [...chosen].filter((place) => rows.some((row) => numberOf(row, place) !== null));
  const axes = known.map(makeAxis);
  svg.setAttribute("width", (axes.length + 0.5) * step);
  svg.setAttribute("height", BOTTOM + 22);
  svg.style.strokeOpacity = Math.min(0.6, Math.max(0.15, 60 / shown.length));
  const metrics = axes.filter((axis) => columns[axis.place].metric && axis.least < axis.most);
  const lead = metrics.sort((a, b) => b.known - a.known)[0];
  lines = shown.map((row) => {
    // A missing value leaves a gap.
    let pen = "M";
    const path = axes.map((axis) => {
      const value = numberOf(row, axis.place);
      const move = value === null ? "" : `${pen}${axis.x} ${axis.y(value).toFixed(1)}`;
      pen = value === null ? "M" : "L";
      return move;
    });
    const line = draw("path", { d: path.join("") });
    const figure = lead ? numberOf(row, lead.place) : null;
    const share = figure === null ? 0 : lead.share(figure);
    line.style.stroke = `color-mix(in oklab, var(--up) ${100 * share}%, var(--down))`;
    line.append(draw("title", {}, row.name));
    return line;
  });
  svg.replaceChildren(...lines, ...axes.flatMap(drawAxis));
}

function mark(number, near) {
  lines[number]?.classList.toggle("near", near);
}

window.addEventListener("resize", () => rows.length && drawPlot());
if (rows.length) start();
