"use strict";
// What the other parts share. Text is only ever set as text, never as HTML.

const byId = (id) => document.getElementById(id);

function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const makeRow = (...cells) => make("tr", {}, ...cells);
const makeWarning = (text) => make("p", { class: "warning" }, `Warning: ${text}`);

// A table that may be wider than its place, and is moved there by touch or by keys.
function makeScrolling(table, label) {
  const attributes = { class: "scroll", tabindex: 0, role: "region", "aria-label": label };
  return make("div", attributes, table);
}

// A picture says nothing that does not stand beside it in words.
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
function breakable(name) {
  const parts = name.split(/(?<=[_/.])/);
  return parts.flatMap((part, place) => (place ? [make("wbr"), part] : [part]));
}

const grouped = (count) => count.toLocaleString("en");
const megabytes = (bytes) => `${significant(bytes / 2 ** 20, 3)} MB`;

function significant(number, digits) {
  const options = { maximumSignificantDigits: digits, useGrouping: false };
  return number.toLocaleString("en", options);
}

// --- requests

let token = ""; // kept here and nowhere else

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
