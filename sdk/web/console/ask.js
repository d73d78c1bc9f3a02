// Questions before something that cannot be taken back, and short notices after it.
import { h } from "./dom.js";

const dialog = document.getElementById("ask");

// fields: [{ name, label, value, required, hint }]. Resolves with their values, or null.
export function ask(title, text, fields, doIt, kind = "primary") {
  return new Promise((resolve) => {
    const inputs = fields.map((one) => h("input", {
      name: one.name, value: one.value ?? "", required: one.required ?? false, autocomplete: "off", maxlength: 400, placeholder: one.hint ?? null,
    }));
    const form = h("form",
      h("h2", { id: "ask-title" }, title), h("p", text),
      fields.map((one, i) => h("label", one.label, inputs[i])),
      h("div.row.end",
        h("button", { type: "button", onclick: () => end(null) }, "Cancel"),
        h(`button.${kind}`, { type: "submit" }, doIt)));
    const end = (value) => {
      dialog.removeEventListener("cancel", cancelled);
      dialog.close();
      resolve(value);
    };
    const cancelled = (event) => {
      event.preventDefault();
      end(null);
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      end(Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()])));
    });
    dialog.addEventListener("cancel", cancelled);
    dialog.replaceChildren(form);
    dialog.showModal();
    (inputs[0] ?? form.querySelector("button")).focus();
  });
}

export function notice(text, kind = "good") {
  const line = h(`p.${kind}`, text);
  const place = document.getElementById("notices");
  place.append(line);
  while (place.children.length > 3) place.firstElementChild.remove();
  setTimeout(() => line.remove(), kind === "wrong" ? 9000 : 5000);
}

// Does something, says that it was done or why not.
export async function doing(work, said) {
  try {
    const answer = await work();
    if (said) notice(said);
    return answer;
  } catch (error) {
    notice(error.message, "wrong");
    return null;
  }
}
