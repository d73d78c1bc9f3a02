// Shows the server's own description of its HTTP interface; text only, nothing is fetched elsewhere.
const description = await (await fetch("openapi.json")).json();
const calls = document.getElementById("calls");

for (const [path, methods] of Object.entries(description.paths)) {
  for (const [method, call] of Object.entries(methods)) {
    const section = document.createElement("section");
    const title = document.createElement("h2");
    title.append(element("b", method.toUpperCase()), path);
    section.append(title, element("p", call.description ?? call.summary ?? ""));
    const schema = call.requestBody?.content?.["application/json"]?.schema;
    if (schema) section.append(element("pre", JSON.stringify(resolved(schema), null, 2)));
    const answers = element("p", `Answers: ${Object.keys(call.responses).join(", ")}`);
    answers.className = "answers";
    section.append(answers);
    calls.append(section);
  }
}

// A schema as its fields and their types, one level deep.
function resolved(schema) {
  const found = schema.$ref ? description.components.schemas[schema.$ref.split("/").at(-1)] : schema;
  const required = new Set(found.required ?? []);
  return Object.fromEntries(
    Object.entries(found.properties ?? {}).map(([name, field]) => {
      const types = (field.anyOf ?? [field]).map((one) => one.type ?? "any").join(" or ");
      return [name, required.has(name) ? types : `${types}, default ${JSON.stringify(field.default ?? null)}`];
    }),
  );
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
