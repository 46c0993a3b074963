// The model card: as much of Markdown as it uses, made into elements.

function renderMarkdown(text) {
  return text.split(/\n{2,}/).flatMap((block) => {
    const lines = block.split("\n").filter((line) => line.trim());
    const parts = [];
    while (lines[0]?.startsWith("#")) parts.push(headingOf(lines.shift()));
    if (!lines.length) return parts;
    if (lines[0].startsWith("|")) return [...parts, tableOf(lines)];
    const place = lines.findIndex((line) => line.startsWith("- "));
    const before = place < 0 ? lines : lines.slice(0, place);
    if (before.length) parts.push(make("p", {}, ...inline(before.join(" "))));
    return place < 0 ? parts : [...parts, listOf(lines.slice(place))];
  });
}

function headingOf(line) {
  const [, marks, text] = /^(#+) *(.*)/.exec(line);
  return make(`h${Math.min(marks.length + 2, 6)}`, {}, ...inline(text)); // below the page's own
}

function listOf(lines) {
  const items = lines.join("\n").split(/^- /m).slice(1);
  const made = items.map((item) => make("li", {}, ...inline(item.replaceAll(/\s+/g, " "))));
  return make("ul", {}, ...made);
}

function tableOf(lines) {
  const unescaped = (cell) => cell.trim().replaceAll("\\|", "|");
  const cells = (line) => line.slice(1, -1).split(/(?<!\\)\|/).map(unescaped);
  const [head, , ...body] = lines.map(cells);
  const row = (kind, values) =>
    makeRow(...values.map((value) => make(kind, {}, ...inline(value))));
  const table = make("table", {}, make("thead", {}, row("th", head)),
    make("tbody", {}, ...body.map((values) => row("td", values))));
  return makeScrolling(table, head.join(", "));
}

function inline(text) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part) => {
    if (/^\*\*.+\*\*$/.test(part)) return make("strong", {}, part.slice(2, -2));
    return /^`.+`$/.test(part) ? make("code", {}, part.slice(1, -1)) : part;
  });
}
