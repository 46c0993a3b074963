// The answer: the prediction, its scores, and what each column adds to them.

const SHOWN_EFFECTS = 8;

const isBinary = () => about.task === "binary";
const isRegression = () => about.task === "regression";
const threshold = () => about.threshold ?? 0.5;

function inWords(score) {
  return isRegression() ? significant(score, 4) : `${significant(100 * score, 3)} %`;
}

function predictionInWords(prediction) {
  if (isBinary()) return prediction ? "Yes" : "No";
  return isRegression() ? inWords(prediction) : prediction;
}

function clearAnswer(text) {
  byId("status").replaceChildren(make("p", { class: "hint" }, text));
  for (const id of ["scores", "why"]) byId(id).replaceChildren();
}

function showAnswer(answer, warnings, version) {
  const parts = [make("p", { class: "answer" }, predictionInWords(answer.prediction))];
  if (isBinary()) {
    const rule = `. At ${inWords(threshold())} or more the answer is yes.`;
    parts.push(make("p", {}, "Probability of yes: ", scoreIn(answer.score), rule));
  }
  if (version !== about.model.version) {
    parts.push(makeWarning(`The server has another model now, ${version}. Reload this page.`));
  }
  byId("status").replaceChildren(...parts, ...warnings.map(makeWarning));
  if (isBinary()) byId("scores").replaceChildren(drawShare(answer.score, threshold()));
  if (about.task === "multiclass") byId("scores").replaceChildren(tableOfClasses(answer));
  byId("status").scrollIntoView({ block: "nearest" }); // on a phone it is below the form
}

const scoreIn = (score) => make("data", { value: score }, inWords(score));

function tableOfClasses(answer) {
  const rows = about.classes.map((name) => makeRow(
    make("th", { scope: "row" }, ...breakable(name)),
    make("td", {}, drawShare(answer[`score_${name}`])),
    make("td", { class: "number" }, scoreIn(answer[`score_${name}`]))));
  return make("table", {}, make("caption", {}, "Probability of each class"), ...rows);
}

function drawShare(share, mark) {
  const whole = ["rect", { class: "track", width: 300, height: 14, y: 3 }];
  const part = ["rect", { class: "share", width: 300 * share, height: 14, y: 3 }];
  if (mark === undefined) return draw(300, 20, whole, part);
  const place = { x1: 300 * mark, x2: 300 * mark, y1: 0, y2: 20 };
  return draw(300, 20, whole, part, ["line", { class: "mark", ...place }]);
}

function showWhy(explanation, method) {
  const effects = Object.entries(explanation.effects)
    .sort(([, one], [, other]) => Math.abs(other.effect) - Math.abs(one.effect));
  const most = Math.max(...effects.map(([, found]) => Math.abs(found.effect) + found.error)) || 1;
  const rows = effects.map(([name, found]) => rowOfEffect(name, found, most));
  rows.slice(SHOWN_EFFECTS).forEach((row) => { row.hidden = true; });
  const unit = isRegression() ? "Effect" : "Points";
  const head = makeRow(make("th", { scope: "col" }, "Column"),
    make("th", { scope: "col" }, "Value"), make("td"),
    make("th", { scope: "col", class: "number" }, unit));
  const table = make("table", {}, make("caption", {}, summaryOf(explanation)),
    make("thead", {}, head), make("tbody", {}, ...rows));
  const computed = make("details", {}, make("summary", {}, "How this was computed"),
    make("p", { class: "hint" }, method));
  const button = rows.length > SHOWN_EFFECTS ? [buttonForAll(rows)] : [];
  byId("why").replaceChildren(make("h3", {}, "Why"), table, ...button, computed);
}

function summaryOf(explanation) {
  const what = { binary: "probability of yes", regression: "prediction" }[about.task]
    ?? `probability of ${explanation.prediction}`;
  return `On average over sample rows, the ${what} is ${inWords(explanation.base)}. `
    + `The values of this row move it to ${inWords(explanation.score)}:`;
}

function rowOfEffect(name, found, most) {
  return makeRow(make("th", { scope: "row" }, ...breakable(name)),
    make("td", {}, valueInWords(found.value)),
    make("td", {}, drawEffect(found, most)),
    make("td", { class: "number" }, effectInWords(found, most)));
}

function valueInWords(value) {
  if (value === null) return make("em", {}, "not known");
  return typeof value === "number" ? significant(value, 6) : String(value);
}

// Three digits of the largest effect, and as many decimals of the others.
function effectInWords(found, most) {
  const unit = isRegression() ? 1 : 100;
  const decimals = Math.min(Math.max(2 - Math.floor(Math.log10(unit * most)), 0), 12);
  const effect = (unit * found.effect).toFixed(decimals);
  const error = (unit * found.error).toFixed(decimals);
  return `${found.effect > 0 ? "+" : ""}${effect}${Number(error) ? ` ±\u00a0${error}` : ""}`;
}

function drawEffect(found, most) {
  const [end, low, high] = [0, -found.error, found.error]
    .map((error) => 100 + (95 * (found.effect + error)) / most);
  const side = found.effect > 0 ? "up" : "down";
  return draw(200, 20,
    ["rect", { class: side, x: Math.min(end, 100), width: Math.abs(end - 100), y: 3, height: 14 }],
    ["line", { class: "axis", x1: 100, x2: 100, y1: 0, y2: 20 }],
    ["line", { class: "mark", x1: low, x2: high, y1: 10, y2: 10 }]);
}

function buttonForAll(rows) {
  const button = make("button", { type: "button" }, `Show all ${rows.length} columns`);
  button.addEventListener("click", () => {
    rows.forEach((row) => { row.hidden = false; });
    const sentence = make("p", { class: "hint", tabindex: -1 }, "All columns are shown.");
    button.replaceWith(sentence);
    sentence.focus(); // else the keyboard would begin at the top again
  });
  return button;
}
