// One listener for the whole conversation: marks, nearest sentences, copies, export, judgements.
const ask = (detail) => document.dispatchEvent(new CustomEvent("recoupe:ask", { detail }));
const save = (name, type, text) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};
// What is wrong may be said in a word before it is sent.
const complain = (turn, send) => {
  if (turn.querySelector(".rc-wrong")) return;
  const form = Object.assign(document.createElement("form"), { className: "rc-wrong" });
  const field = Object.assign(document.createElement("input"), { maxLength: 2000, placeholder: "Qu’est-ce qui est faux ? (facultatif)" });
  field.setAttribute("aria-label", field.placeholder);
  const press = (textContent, type) => Object.assign(document.createElement("button"), { type, textContent });
  const cancel = press("Annuler", "button");
  form.append(field, press("Envoyer à la rédaction", "submit"), cancel);
  cancel.addEventListener("click", () => form.remove());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const note = field.value;
    form.remove();
    await send(note);
  });
  turn.querySelector(".rc-actions").append(form);
  field.focus();
};
const judge = async (turn, rating, answer, note = "") => {
  const question = turn.querySelector(".rc-question").textContent.slice(0, 1000);
  const response = await fetch(new URL("api/v1/feedback", document.baseURI), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ rating, question, answer: answer.slice(0, 10000), note: note.slice(0, 2000) }),
  }).catch(() => null);
  return response?.ok
    ? "Merci : la rédaction lira votre avis."
    : "Avis non transmis : réessayez plus tard.";
};
const copied = async (text, done) => {
  try {
    await navigator.clipboard.writeText(text);
    return done;
  } catch {
    return `Copie refusée par le navigateur : ${text.length < 500 ? text : "utilisez le fichier Markdown."}`;
  }
};
const print = (turn) => {
  turn.dataset.printed = `Recoupe, imprimé le ${new Date().toLocaleDateString("fr-FR", { dateStyle: "long" })}`;
  turn.classList.add("rc-printed");
  window.print();
  turn.classList.remove("rc-printed");
};
element.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { turn, number, near, question, form, link, rating } = button.dataset;
  if (button.matches(".rc-cite")) return trigger("select", { turn, number });
  if (button.matches(".rc-near")) return trigger("select", { turn, near });
  if (button.matches(".rc-again")) return ask({ question });
  if (button.matches(".rc-unfiltered")) return ask({ question, unfiltered: true });
  if (button.matches(".rc-edit")) {
    const field = document.querySelector("#rc-question textarea");
    field.value = question;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    return field.focus();
  }
  const shown = button.closest(".rc-turn");
  const text = (name) => shown?.querySelector(`.rc-form[data-form="${name}"]`)?.textContent ?? "";
  const done = shown?.querySelector(".rc-done");
  if (!done) return;
  if (button.matches(".rc-judge") && rating === "wrong") {
    complain(shown, async (note) => { done.textContent = await judge(shown, rating, text("markdown"), note); });
  } else if (button.matches(".rc-judge")) {
    shown.querySelector(".rc-wrong")?.remove();
    done.textContent = await judge(shown, rating, text("markdown"));
  } else if (button.matches(".rc-copy")) {
    done.textContent = await copied(text(form), "Copié.");
  } else if (button.matches(".rc-link")) {
    const address = new URL(link, new URL(location.pathname, location.href)).href;
    done.textContent = await copied(address, "Lien copié : il repose la question.");
  } else if (button.matches(".rc-export")) {
    save("recoupe.md", "text/markdown", text("markdown"));
    done.textContent = "Exporté.";
  } else if (button.matches(".rc-print")) {
    print(shown);
  }
});

// The last question goes to the top of the window when it is asked, and again when its answer is
// there: the answer is read from its beginning. Nothing moves while it is written.
let seen = "";
new MutationObserver(() => {
  const turns = element.querySelectorAll(".rc-turn");
  const last = turns[turns.length - 1];
  if (!last) {
    seen = "";
    return;
  }
  const now = `${turns.length} ${last.querySelector(".rc-actions, .rc-error") ? "done" : "begun"}`;
  if (now === seen) return;
  seen = now;
  // The framework lets the field grow with what is written, and leaves it so when it is emptied.
  const field = document.querySelector("#rc-question textarea");
  if (field && !field.value) field.style.height = "";
  if (last.querySelector(".rc-actions")) document.dispatchEvent(new CustomEvent("recoupe:answered"));
  last.scrollIntoView({ block: "start" });
}).observe(element, { childList: true, subtree: true });
