"use strict";

// The table of experiments: what is chosen, filtered and sorted. plot.js draws the same rows.

const FIRST_ROWS = 200; // a browser needs half a second to lay out a thousand

const byId = (id) => document.getElementById(id);
const experiments = byId("data") ? JSON.parse(byId("data").textContent) : { columns: [], rows: [] };
const { columns, rows } = experiments;
const chosen = new Set(columns.flatMap((column, place) => (column.chosen ? [place] : [])));
const ranges = new Map(); // of columns, as numbers of `numberOf`; a side may be infinite
let order = { place: null, up: false }; // null: by date, as the rows come
let shown = rows;
let isWhole = false; // whether the table has all rows that are shown

// A number stands for itself, any other value for its place among the values of its column.
const values = columns.map((_, place) => {
  const found = new Set(rows.map((row) => row.cells[place]).filter((value) => value !== null));
  const all = [...found];
  return all.every((value) => typeof value === "number") ? null : all.map(String).sort();
});
const isNumber = (place) => values[place] === null;

function numberOf(row, place) {
  const value = row.cells[place];
  if (value === null) return null;
  return isNumber(place) ? value : values[place].indexOf(String(value));
}

function textOf(value) {
  if (value === null) return "";
  if (typeof value !== "number") return value;
  const isWhole = Number.isInteger(value) || Math.abs(value) >= 9999.5;
  return isWhole ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}

function make(name, text, attributes = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

for (const row of rows) {
  row.text = [row.name, row.kind, row.created, row.commit.slice(0, 7), row.problem, ...row.cells]
    .join(" ")
    .toLowerCase();
}

function fits(row, words) {
  if (!words.every((word) => row.text.includes(word))) return false;
  for (const [place, [low, high]] of ranges) {
    const number = numberOf(row, place);
    if (number === null || number < low || number > high) return false;
  }
  return true;
}

function compare(one, other) {
  const [a, b] = [one, other].map((row) => numberOf(row, order.place));
  if (a === null || b === null) return (a === null) - (b === null); // missing values come last
  return order.up ? a - b : b - a;
}

function headCell(label, place) {
  const cell = make("th", "", { scope: "col" });
  if (place !== null && isNumber(place)) cell.className = "number";
  const sorted = order.place === place;
  if (sorted) cell.setAttribute("aria-sort", order.up ? "ascending" : "descending");
  const arrow = sorted ? (order.up ? " ▲" : " ▼") : "";
  const breakable = label.replaceAll(/\.|(?<=[^.]{8})_/g, "$&\u200b");
  const button = make("button", breakable + arrow, { type: "button" });
  button.addEventListener("click", () => {
    order = { place, up: sorted && place !== null && !order.up };
    update();
  });
  cell.append(button);
  return cell;
}

function bodyRow(row) {
  const line = make("tr", "", { class: row.kind });
  line.append(make("th", row.name, { scope: "row" }));
  line.append(make("td", row.created.slice(0, 16).replace("T", " ")));
  if (row.problem) {
    line.append(make("td", row.problem, { class: "problem", colspan: chosen.size }));
    return line;
  }
  for (const place of chosen) {
    const value = row.cells[place];
    const cell = make("td", textOf(value), { title: value === null ? "" : value });
    if (isNumber(place)) cell.className = "number";
    line.append(cell);
  }
  return line;
}

function drawTable() {
  const head = make("tr", "");
  head.append(make("th", "experiment", { scope: "col" }), headCell("created", null));
  for (const place of chosen) head.append(headCell(columns[place].name, place));
  const [top, body] = ["thead", "tbody"].map((name) => document.createElement(name));
  top.append(head);
  shown.slice(0, isWhole ? undefined : FIRST_ROWS).forEach((row, number) => {
    const line = bodyRow(row);
    line.addEventListener("mouseenter", () => mark(number, true));
    line.addEventListener("mouseleave", () => mark(number, false));
    body.append(line);
  });
  byId("table").replaceChildren(top, body);
  byId("more").hidden = isWhole || shown.length <= FIRST_ROWS;
  byId("more").textContent = `List all ${shown.length}`;
}

function update() {
  const words = byId("text").value.toLowerCase().split(/\s+/).filter(Boolean);
  shown = rows.filter((row) => fits(row, words));
  if (order.place !== null) shown.sort(compare);
  byId("count").textContent = `${shown.length} of ${rows.length} experiments and commits`;
  showRange();
  drawTable();
  drawPlot();
}

function setRange(place, low, high) {
  if (low === -Infinity && high === Infinity) ranges.delete(place);
  else ranges.set(place, [low, high]);
}

function showRange() {
  const range = ranges.get(Number(byId("ranged").value)) ?? [-Infinity, Infinity];
  ["low", "high"].forEach((id, side) => {
    if (document.activeElement !== byId(id)) {
      byId(id).value = Number.isFinite(range[side]) ? textOf(range[side]) : "";
    }
  });
}

function readRange() {
  const ends = ["low", "high"].map((id, side) => {
    const text = byId(id).value.trim();
    return text && !Number.isNaN(Number(text)) ? Number(text) : [-Infinity, Infinity][side];
  });
  setRange(Number(byId("ranged").value), ...ends);
  update();
}

function start() {
  columns.forEach((column, place) => {
    if (isNumber(place)) byId("ranged").append(make("option", column.name, { value: place }));
    const box = make("input", "", { type: "checkbox" });
    box.checked = chosen.has(place);
    box.addEventListener("change", () => {
      if (box.checked) chosen.add(place);
      else chosen.delete(place);
      update();
    });
    const label = make("label", "");
    label.append(box, column.name);
    byId("choice").querySelector("div").append(label);
  });
  byId("text").addEventListener("input", update);
  byId("ranged").addEventListener("change", showRange);
  for (const id of ["low", "high"]) byId(id).addEventListener("input", readRange);
  byId("clear").addEventListener("click", () => {
    ranges.clear();
    for (const id of ["text", "low", "high"]) byId(id).value = "";
    update();
  });
  byId("more").addEventListener("click", () => {
    isWhole = true;
    drawTable();
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").hidden = byId("choice").hidden = false;
  update();
}
