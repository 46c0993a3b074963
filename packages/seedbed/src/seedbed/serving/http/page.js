"use strict";
// Fills the page from page.json, asks predict and explain, and has a file scored. Text is only ever
// set as text, never as HTML, and the token stays in this variable.

const MOST_OPTIONS = 25; // of a select; more categories are suggested while typing
const SHOWN_EFFECTS = 8;
const SHOWN_ROWS = 5;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

let about = null;
let token = "";
let example = 0;
let latest = 0;

const byId = (id) => document.getElementById(id);

function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function draw(width, height, ...shapes) {
  const names = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(names, "svg");
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("aria-hidden", "true");
  for (const [name, attributes] of shapes) {
    const shape = document.createElementNS(names, name);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    picture.append(shape);
  }
  return picture;
}

// A long name may be broken after each of its words.
const breakable = (name) =>
  name.split(/(?<=[_/.])/).flatMap((part, place) => (place ? [make("wbr"), part] : [part]));

const digits = (count) => new Intl.NumberFormat("en", { maximumSignificantDigits: count, useGrouping: false });
const isRegression = () => about.task === "regression";
const written = (score) =>
  isRegression() ? digits(4).format(score) : `${digits(3).format(100 * score)} %`;
const words = (prediction) =>
  typeof prediction === "boolean" ? (prediction ? "Yes" : "No")
    : isRegression() ? written(prediction) : String(prediction);

// --- requests

class Refusal extends Error {
  constructor(message, where = "", allowed = "") {
    super(message);
    Object.assign(this, { where, allowed });
  }
}

async function ask(path, kind, body) {
  const headers = { Accept: kind };
  if (body) headers["Content-Type"] = kind;
  if (token) headers.Authorization = `Bearer ${token}`;
  const method = body ? "POST" : "GET";
  let response;
  try {
    response = await fetch(path, { method, headers, body, cache: "no-store" });
  } catch {
    throw new Refusal("The server does not answer. Is it still running?");
  }
  byId("token-form").hidden = response.status !== 401;
  if (response.ok) return response;
  const found = await response.json().catch(() => ({}));
  const error = found.error || { message: `The server answers ${response.status}.` };
  throw new Refusal(error.message, error.where, error.allowed);
}

async function load() {
  try {
    about = await (await ask("page.json", "application/json")).json();
  } catch (error) {
    byId("notice").textContent = error.message;
    if (!byId("token-form").hidden) byId("token").focus();
    return;
  }
  byId("notice").textContent = "";
  document.title = byId("question").textContent = about.question;
  byId("model").textContent = `Model of ${about.model.name}, version ${about.model.version}`;
  byId("fields").replaceChildren(...about.columns.map(makeField));
  byId("example").hidden = about.samples.length < 2;
  const limits = `${about.max_rows.toLocaleString("en")} rows and ${sizeOf(about.max_bytes)}`;
  byId("file-limits").textContent = `At most ${limits}; for more there is the command seedbed score.`;
  byId("card").replaceChildren(...renderMarkdown(about.card));
  document.querySelector("main").hidden = false;
  fill();
}

// --- the form

function makeField(column, place) {
  const id = `field-${place}`;
  const described = { id, "aria-describedby": `${id}-hint ${id}-error` };
  const field = make("div", {}, make("label", { for: id }, column.name));
  if (column.type === "text") {
    field.append(make("textarea", { ...described, rows: 3 }));
  } else if (options(column)) {
    const values = column.nullable ? ["", ...options(column)] : options(column);
    const choices = values.map((value) => make("option", { value }, value || "not known"));
    field.append(make("select", described, ...choices));
  } else {
    const input = make("input", { ...described, type: "text" });
    if (column.type === "number") input.inputMode = "decimal";
    field.append(input);
    if (column.categories) {
      input.setAttribute("list", `${id}-values`);
      const values = column.categories.map((value) => make("option", { value }));
      field.append(make("datalist", { id: `${id}-values` }, ...values));
    }
  }
  field.append(make("p", { id: `${id}-hint`, class: "hint" }, hint(column)));
  field.append(make("p", { id: `${id}-error`, class: "error" }));
  return field;
}

function options(column) {
  if (column.type === "boolean") return ["true", "false"];
  const few = column.complete && column.categories && column.categories.length <= MOST_OPTIONS;
  return few ? column.categories : null;
}

function hint(column) {
  const parts = [];
  if (column.minimum !== null) {
    const range = [column.minimum, column.maximum].map((value) => digits(6).format(value));
    parts.push(`${range.join(" to ")} in training`);
  }
  if (column.categories && !options(column)) {
    const count = column.categories.length.toLocaleString("en");
    parts.push(column.complete ? `${count} values in training` : `${count} of the values in training`);
  }
  if (column.type === "time") parts.push(`ISO 8601; without an offset, in ${about.time_zone}`);
  if (column.nullable) parts.push("may be empty");
  return parts.join("; ");
}

function fill() {
  const row = about.samples[example] || {};
  about.columns.forEach((column, place) => {
    byId(`field-${place}`).value = row[column.name] ?? "";
  });
  clearErrors();
}

// What cannot be read is sent as it stands: the server says what is wrong with it.
function readField(column, place) {
  const text = byId(`field-${place}`).value;
  if (text.trim() === "") return null;
  if (column.type === "boolean") return text === "true";
  return column.type === "number" && NUMBER.test(text.trim()) && Number.isFinite(Number(text))
    ? Number(text) : text;
}

function clearErrors() {
  byId("notice").textContent = "";
  about.columns.forEach((_, place) => {
    byId(`field-${place}`).removeAttribute("aria-invalid");
    byId(`field-${place}-error`).textContent = "";
  });
}

function clearAnswer(text) {
  latest += 1; // an answer that is under way comes too late
  byId("status").replaceChildren(make("p", { class: "hint" }, text));
  for (const id of ["scores", "why"]) byId(id).replaceChildren();
}

function showError(error) {
  const place = about.columns.findIndex((column) => error.where === `rows[0].${column.name}`);
  if (place < 0) {
    byId("notice").textContent = error.message;
    return;
  }
  const wanted = error.allowed.replace("null where", "nothing where");
  byId(`field-${place}-error`).textContent =
    `"${byId(`field-${place}`).value}" cannot be read. Wanted is ${wanted}.`;
  byId(`field-${place}`).setAttribute("aria-invalid", "true");
  byId(`field-${place}`).focus();
}

async function predict(event) {
  event.preventDefault();
  clearErrors();
  const row = Object.fromEntries(about.columns.map((column, n) => [column.name, readField(column, n)]));
  const body = JSON.stringify({ rows: [row] });
  clearAnswer("...");
  const mine = latest;
  try {
    const found = await (await ask("predict", "application/json", body)).json();
    if (mine !== latest) return;
    showAnswer(found.answers[0], found.warnings, found.model.version);
  } catch (error) {
    if (mine !== latest) return;
    clearAnswer("There is no prediction.");
    showError(error);
    return;
  }
  try {
    const { explanations, method } = await (await ask("explain", "application/json", body)).json();
    if (mine === latest) showWhy(explanations[0], method);
  } catch (error) {
    const sentence = `Why cannot be told. ${error.message}`;
    if (mine === latest) byId("why").replaceChildren(make("p", { class: "hint" }, sentence));
  }
}

// --- the answer

function showAnswer(answer, warnings, version) {
  const parts = [make("p", { class: "answer" }, words(answer.prediction))];
  if (about.task === "binary") {
    const score = make("data", { value: answer.score }, written(answer.score));
    const rule = `. At ${written(about.threshold ?? 0.5)} or more the answer is yes.`;
    parts.push(make("p", {}, "Probability of yes: ", score, rule));
  }
  if (version !== about.model.version) {
    warnings = [...warnings, `The server has a newer model now, ${version}. Reload this page.`];
  }
  parts.push(...warnings.map((text) => make("p", { class: "warning" }, `Warning: ${text}`)));
  byId("status").replaceChildren(...parts);
  byId("scores").replaceChildren(...(isRegression() ? [] : [scoresOf(answer)]));
  byId("status").scrollIntoView({ block: "nearest" }); // on a phone it is below the form
}

function scoresOf(answer) {
  if (about.task === "binary") return bar(answer.score, about.threshold ?? 0.5);
  const rows = about.classes.map((name) => {
    const score = answer[`score_${name}`];
    return make("tr", {}, make("th", { scope: "row" }, ...breakable(name)),
      make("td", {}, bar(score)),
      make("td", { class: "number" }, make("data", { value: score }, written(score))));
  });
  return make("table", {}, make("caption", {}, "Probability of each class"), ...rows);
}

function bar(share, threshold) {
  const shapes = [["rect", { class: "track", width: 300, height: 14, y: 3 }],
    ["rect", { class: "share", width: 300 * share, height: 14, y: 3 }]];
  if (threshold !== undefined) {
    const x = 300 * threshold;
    shapes.push(["line", { class: "error-bar", x1: x, x2: x, y1: 0, y2: 20, "stroke-width": 2 }]);
  }
  return draw(300, 20, ...shapes);
}

function showWhy(explanation, method) {
  const effects = Object.entries(explanation.effects)
    .sort(([, one], [, other]) => Math.abs(other.effect) - Math.abs(one.effect));
  const most = Math.max(...effects.map(([, found]) => Math.abs(found.effect) + found.error)) || 1;
  const rows = effects.map(([name, found], place) => {
    const row = make("tr", {}, make("th", { scope: "row" }, ...breakable(name)),
      make("td", {}, found.value === null ? make("em", {}, "not known") : String(found.value)),
      make("td", {}, effectBar(found, most)),
      make("td", { class: "number" }, effectText(found, most)));
    row.hidden = place >= SHOWN_EFFECTS;
    return row;
  });
  const explained = { binary: "probability of yes", regression: "prediction" }[about.task]
    ?? `probability of ${explanation.prediction}`;
  const sentence = `On average over sample rows, the ${explained} is ${written(explanation.base)}. `
    + `The values of this row move it to ${written(explanation.score)}:`;
  const head = make("tr", {}, make("th", { scope: "col" }, "Column"), make("th", { scope: "col" }, "Value"),
    make("td"), make("th", { scope: "col", class: "number" }, isRegression() ? "Effect" : "Points"));
  const parts = [make("h3", {}, "Why"), make("table", {}, make("caption", {}, sentence),
    make("thead", {}, head), make("tbody", {}, ...rows))];
  if (rows.length > SHOWN_EFFECTS) parts.push(buttonForAll(rows));
  parts.push(make("details", {}, make("summary", {}, "How this was computed"),
    make("p", { class: "hint" }, method)));
  byId("why").replaceChildren(...parts);
}

function buttonForAll(rows) {
  const button = make("button", { type: "button" }, `Show all ${rows.length} columns`);
  button.addEventListener("click", () => {
    rows.forEach((row) => { row.hidden = false; });
    button.remove();
  });
  return button;
}

// Three digits of the largest effect, and as many decimals of the others.
function effectText(found, most) {
  const unit = isRegression() ? 1 : 100;
  const decimals = Math.min(Math.max(2 - Math.floor(Math.log10(unit * most)), 0), 12);
  const error = (unit * found.error).toFixed(decimals);
  const effect = (unit * found.effect).toFixed(decimals);
  return (found.effect > 0 ? "+" : "") + effect + (Number(error) ? ` ± ${error}` : "");
}

function effectBar(found, most) {
  const place = (value) => 100 + (95 * value) / most;
  const [end, low, high] = [found.effect, found.effect - found.error, found.effect + found.error].map(place);
  return draw(200, 20,
    ["rect", { class: end > 100 ? "up" : "down", x: Math.min(end, 100), width: Math.abs(end - 100), y: 3, height: 14 }],
    ["line", { class: "axis", x1: 100, x2: 100, y1: 0, y2: 20 }],
    ["line", { class: "error-bar", x1: low, x2: high, y1: 10, y2: 10 }]);
}

// --- a file

async function scoreFile(file) {
  if (!file) return;
  const say = (...parts) => byId("file-status").replaceChildren(make("p", {}, ...parts));
  say(`${file.name} is being scored ...`);
  byId("file-rows").replaceChildren();
  try {
    if (file.size > about.max_bytes) throw new Refusal(`${file.name} has ${sizeOf(file.size)}.`);
    const response = await ask("predict", "text/csv", file);
    const text = await response.text();
    const [names, ...rows] = readCsv(text);
    const name = file.name.replace(/(\.csv)?$/i, "-scored.csv");
    const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: name },
      `Download ${name}`);
    say(`${rows.length.toLocaleString("en")} rows: ${countsOf(names, rows)}. `, link);
    const warnings = JSON.parse(response.headers.get("x-warnings"));
    byId("file-status").append(...warnings.map((line) => make("p", { class: "warning" }, `Warning: ${line}`)));
    byId("file-rows").replaceChildren(firstRows(names, rows));
  } catch (error) {
    say(make("span", { class: "error" }, error.message));
  }
  byId("file").value = "";
}

const sizeOf = (bytes) => `${digits(3).format(bytes / 2 ** 20)} MB`;

function countsOf(names, rows) {
  const predictions = rows.map((row) => row[names.indexOf("prediction")]);
  if (isRegression()) {
    const mean = predictions.reduce((sum, value) => sum + Number(value), 0) / predictions.length;
    return `mean prediction ${written(mean)}`;
  }
  const counts = new Map();
  for (const value of predictions) counts.set(value, (counts.get(value) || 0) + 1);
  const named = { true: "yes", false: "no" };
  return [...counts].map(([value, count]) =>
    `${about.task === "binary" ? named[value] : value} ${count.toLocaleString("en")}`).join(", ");
}

function firstRows(names, rows) {
  // What was added stands last in the file, and is what people look for.
  const added = names.length - names.indexOf("prediction");
  const order = [...names.keys()];
  order.unshift(...order.splice(-added));
  const line = (kind, values, attributes = {}) =>
    make("tr", {}, ...order.map((place) => make(kind, attributes, values[place])));
  const shown = rows.slice(0, SHOWN_ROWS).map((row) => line("td", row));
  const table = make("table", {}, make("caption", {}, `The first ${shown.length} rows`),
    make("thead", {}, line("th", names, { scope: "col" })), make("tbody", {}, ...shown));
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "First rows" }, table);
}

function readCsv(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.length > 1 || row[0]);
}

// --- the model card

function renderMarkdown(text) {
  const blocks = text.split(/\n{2,}/).map((block) => block.split("\n").filter((line) => line.trim()));
  return blocks.filter((lines) => lines.length).flatMap((lines) => {
    const parts = [];
    let heading;
    while (lines.length && (heading = /^(#+) (.*)/.exec(lines[0]))) {
      parts.push(make(`h${Math.min(heading[1].length + 2, 6)}`, {}, ...inline(heading[2])));
      lines.shift();
    }
    if (!lines.length) return parts;
    const start = lines.findIndex((line) => line.startsWith("- "));
    if (lines[0].startsWith("|")) parts.push(cardTable(lines));
    else if (start < 0) parts.push(make("p", {}, ...inline(lines.join(" "))));
    else {
      if (start) parts.push(make("p", {}, ...inline(lines.slice(0, start).join(" "))));
      const items = lines.slice(start).join("\n").split(/^- /m).slice(1);
      parts.push(make("ul", {}, ...items.map((item) => make("li", {}, ...inline(item.replaceAll(/\s+/g, " "))))));
    }
    return parts;
  });
}

function cardTable(lines) {
  const cells = (line) => line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
  const [head, , ...body] = lines.map(cells);
  const row = (kind, values) => make("tr", {}, ...values.map((value) => make(kind, {}, ...inline(value))));
  const table = make("table", {}, make("thead", {}, row("th", head)),
    make("tbody", {}, ...body.map((values) => row("td", values))));
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": head.join(", ") }, table);
}

function inline(text) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part) => {
    if (/^\*\*.+\*\*$/.test(part)) return make("strong", {}, part.slice(2, -2));
    return /^`.+`$/.test(part) ? make("code", {}, part.slice(1, -1)) : part;
  });
}

// --- what a person does

byId("row-form").addEventListener("submit", predict);
byId("example").addEventListener("click", () => {
  example = (example + 1) % about.samples.length;
  fill();
  clearAnswer(`Example ${example + 1} of ${about.samples.length} is filled in. Press Predict.`);
});
byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token = byId("token").value;
  load();
});
byId("file").addEventListener("change", (event) => scoreFile(event.target.files[0]));
for (const kind of ["dragover", "dragleave", "drop"]) {
  byId("drop").addEventListener(kind, (event) => {
    event.preventDefault();
    byId("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") scoreFile(event.dataTransfer.files[0]);
  });
}
load();
