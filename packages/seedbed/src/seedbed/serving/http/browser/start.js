// What happens when the page opens, and when a person does something.

let about = null; // what page.json says of the bundle
let example = 0;
let latest = 0; // number of the question that was asked last: older answers come too late

async function load() {
  byId("notice").textContent = "";
  try {
    about = await (await ask("page.json", "application/json")).json();
  } catch (error) {
    byId("notice").textContent = error.message;
    if (!byId("token-form").hidden) byId("token").focus();
    return;
  }
  document.title = byId("question").textContent = about.question;
  byId("model").textContent = `Model of ${about.model.name}, version ${about.model.version}`;
  byId("fields").replaceChildren(...about.columns.map(makeField));
  byId("example").hidden = about.samples.length < 2;
  const limits = `${grouped(about.max_rows)} rows and ${megabytes(about.max_bytes)}`;
  byId("file-limits").textContent = `At most ${limits}`;
  byId("card").replaceChildren(...renderMarkdown(about.card));
  document.querySelector("main").hidden = false;
  fillForm(about.samples[example] ?? {});
}

async function predict(event) {
  event.preventDefault();
  clearErrors();
  clearAnswer("...");
  const mine = (latest += 1);
  const body = JSON.stringify({ rows: [readForm()] });
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
    const found = await (await ask("explain", "application/json", body)).json();
    if (mine === latest) showWhy(found.explanations[0], found.method);
  } catch (error) {
    if (mine !== latest) return;
    const sentence = `Why cannot be told. ${error.message}`;
    byId("why").replaceChildren(make("p", { class: "hint" }, sentence));
  }
}

function takeNextExample() {
  latest += 1;
  example = (example + 1) % about.samples.length;
  fillForm(about.samples[example]);
  clearAnswer(`Example ${example + 1} of ${about.samples.length} is filled in. Press Predict.`);
}

byId("row-form").addEventListener("submit", predict);
byId("example").addEventListener("click", takeNextExample);
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
