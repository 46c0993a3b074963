// A file of rows: sent as it is, and given back with the predictions added.

const SHOWN_ROWS = 5;

async function scoreFile(file) {
  if (!file) return;
  const say = (...parts) => byId("file-status").replaceChildren(make("p", {}, ...parts));
  say(`${file.name} is being scored ...`);
  byId("file-rows").replaceChildren();
  try {
    if (file.size > about.max_bytes) throw new Refusal(`${file.name} has ${megabytes(file.size)}.`);
    const response = await ask("predict", "text/csv", file);
    const text = await response.text();
    const [names, ...rows] = readCsv(text);
    say(`${grouped(rows.length)} rows: ${countsOf(names, rows)}. `, linkTo(text, file.name));
    const warnings = JSON.parse(response.headers.get("x-warnings"));
    byId("file-status").append(...warnings.map(makeWarning));
    byId("file-rows").replaceChildren(firstRows(names, rows));
  } catch (error) {
    say(make("span", { class: "error" }, error.message));
  }
  byId("file").value = ""; // so that the same file can be chosen again
}

function linkTo(text, name) {
  const download = name.replace(/(\.csv)?$/i, "-scored.csv");
  const href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  return make("a", { href, download }, `Download ${download}`);
}

function countsOf(names, rows) {
  const predictions = rows.map((row) => row[names.indexOf("prediction")]);
  if (isRegression()) {
    const sum = predictions.reduce((total, value) => total + Number(value), 0);
    return `mean prediction ${inWords(sum / predictions.length)}`;
  }
  const counts = new Map();
  for (const value of predictions) counts.set(value, (counts.get(value) || 0) + 1);
  const named = (value) => (isBinary() ? { true: "yes", false: "no" }[value] : value);
  return [...counts].map(([value, count]) => `${named(value)} ${grouped(count)}`).join(", ");
}

function firstRows(names, rows) {
  // What was added stands last in the file, and is what people look for.
  const order = [...names.keys()];
  order.unshift(...order.splice(names.indexOf("prediction")));
  const line = (kind, values, attributes = {}) =>
    makeRow(...order.map((place) => make(kind, attributes, values[place])));
  const shown = rows.slice(0, SHOWN_ROWS).map((row) => line("td", row));
  const caption = `The first ${shown.length} of ${grouped(rows.length)} rows`;
  const table = make("table", {}, make("caption", {}, caption),
    make("thead", {}, line("th", names, { scope: "col" })), make("tbody", {}, ...shown));
  return makeScrolling(table, caption);
}

function readCsv(text) {
  const rows = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g;
  for (const [, quoted, plain, end] of text.matchAll(field)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.length > 1 || row[0]);
}
