// Parallel coordinates: an axis for each chosen column, a line for each row that is shown.

const [TOP, BOTTOM, LEFT, STEP, LETTERS] = [34, 250, 60, 130, 20];
let lines = [];

function draw(name, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

const cut = (text) => (text.length > LETTERS ? `…${text.slice(1 - LETTERS)}` : text);

function makeAxis(place, number) {
  const numbers = rows.map((row) => numberOf(row, place)).filter((value) => value !== null);
  const least = numbers.reduce((a, b) => Math.min(a, b), Infinity);
  const most = numbers.reduce((a, b) => Math.max(a, b), -Infinity);
  const spread = most - least || 1;
  return {
    place, least, most,
    known: numbers.length,
    x: LEFT + number * STEP,
    y: (value) => (most === least ? (TOP + BOTTOM) / 2 : BOTTOM - ((value - least) / spread) * (BOTTOM - TOP)),
    value: (y) => least + ((BOTTOM - y) / (BOTTOM - TOP)) * spread,
  };
}

function drawAxis(axis) {
  const { place, x, least, most } = axis;
  const parts = [draw("line", { x1: x, x2: x, y1: TOP, y2: BOTTOM })];
  const name = draw("text", { x, y: 14, "text-anchor": "middle" }, cut(columns[place].name));
  name.append(draw("title", {}, columns[place].name));
  parts.push(name);
  const known = values[place];
  const ticks = known ? known.map((text, at) => [at, text]) : [...new Set([least, (least + most) / 2, most])];
  for (const tick of ticks.slice(0, 12)) {
    const [at, text] = known ? tick : [tick, textOf(tick)];
    parts.push(draw("text", { x: x + 6, y: axis.y(at) + 4, class: "tick" }, cut(text)));
  }
  const range = ranges.get(place);
  if (range) {
    const [y1, y2] = [Math.min(range[1], most), Math.max(range[0], least)].map(axis.y);
    parts.push(draw("rect", { x: x - 7, y: y1, width: 14, height: Math.max(2, y2 - y1), class: "range" }));
  }
  parts.push(drawHandle(axis));
  return parts;
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
  const axes = [...chosen].map(makeAxis).filter((axis) => axis.least <= axis.most);
  svg.setAttribute("width", LEFT + axes.length * STEP);
  svg.setAttribute("height", BOTTOM + 14);
  svg.style.strokeOpacity = Math.min(0.6, Math.max(0.15, 60 / shown.length));
  const lead = axes.filter((axis) => columns[axis.place].metric).sort((a, b) => b.known - a.known)[0];
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
    const share = figure === null ? 0 : (100 * (BOTTOM - lead.y(figure))) / (BOTTOM - TOP);
    line.style.stroke = `color-mix(in oklab, var(--up) ${share}%, var(--down))`;
    line.append(draw("title", {}, row.name));
    return line;
  });
  svg.replaceChildren(...lines, ...axes.flatMap(drawAxis));
}

function mark(number, near) {
  lines[number]?.classList.toggle("near", near);
}

if (rows.length) start();
