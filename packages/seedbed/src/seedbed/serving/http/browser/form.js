// The form: a field for each column of the signature.

const MOST_OPTIONS = 25; // of a select; more categories are suggested while typing
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function makeField(column, place) {
  const id = `field-${place}`;
  return make("div", {},
    make("label", { for: id }, column.name),
    ...makeControl(column, { id, "aria-describedby": `${id}-hint ${id}-error` }),
    make("p", { id: `${id}-hint`, class: "hint" }, hintOf(column)),
    make("p", { id: `${id}-error`, class: "error" }));
}

function makeControl(column, attributes) {
  if (column.type === "text") return [make("textarea", { ...attributes, rows: 3 })];
  const options = optionsOf(column);
  if (options) {
    const values = column.nullable ? ["", ...options] : options;
    const choices = values.map((value) => make("option", { value }, value || "not known"));
    return [make("select", attributes, ...choices)];
  }
  const mode = column.type === "number" ? "decimal" : "text";
  const input = make("input", { ...attributes, type: "text", inputmode: mode });
  if (!column.categories) return [input];
  input.setAttribute("list", `${attributes.id}-values`);
  const values = column.categories.map((value) => make("option", { value }));
  return [input, make("datalist", { id: `${attributes.id}-values` }, ...values)];
}

function optionsOf(column) {
  if (column.type === "boolean") return ["true", "false"];
  const few = column.complete && column.categories && column.categories.length <= MOST_OPTIONS;
  return few ? column.categories : null;
}

function hintOf(column) {
  const parts = [];
  if (column.minimum !== null) {
    const range = [column.minimum, column.maximum].map((value) => significant(value, 6));
    parts.push(`${range.join(" to ")} in training`);
  }
  if (column.categories && !optionsOf(column)) {
    const more = column.complete ? "values in training" : "and more values in training";
    parts.push(`${grouped(column.categories.length)} ${more}`);
  }
  if (column.type === "time") parts.push(`ISO 8601; without an offset, in ${about.time_zone}`);
  if (column.nullable) parts.push("may be empty");
  return parts.join("; ");
}

function fillForm(row) {
  about.columns.forEach((column, place) => {
    byId(`field-${place}`).value = withoutNoise(row[column.name]) ?? "";
  });
  clearErrors();
}

// A double keeps 15 digits of any decimal number: what is beyond them came of computing.
function withoutNoise(value) {
  const isFraction = typeof value === "number" && !Number.isInteger(value);
  return isFraction ? Number(value.toPrecision(15)) : value;
}

function readForm() {
  return Object.fromEntries(about.columns.map((column, place) =>
    [column.name, readValue(column, byId(`field-${place}`).value)]));
}

// What is no number is sent as it stands: the server says what is wrong with it.
function readValue(column, text) {
  if (text.trim() === "") return null;
  if (column.type === "boolean") return text === "true";
  const isNumber = column.type === "number" && NUMBER.test(text.trim());
  return isNumber && Number.isFinite(Number(text)) ? Number(text) : text;
}

function clearErrors() {
  byId("notice").textContent = "";
  about.columns.forEach((_, place) => {
    byId(`field-${place}`).removeAttribute("aria-invalid");
    byId(`field-${place}-error`).textContent = "";
  });
}

function showError(error) {
  const place = about.columns.findIndex((column) => error.where === `rows[0].${column.name}`);
  if (place < 0) {
    byId("notice").textContent = error.message;
    return;
  }
  const field = byId(`field-${place}`);
  const wanted = error.allowed.replace("null where", "nothing where");
  byId(`field-${place}-error`).textContent =
    `"${field.value}" cannot be read. Wanted is ${wanted}.`;
  field.setAttribute("aria-invalid", "true");
  field.focus();
}
