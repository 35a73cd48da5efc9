// Questions to ask with a click: examples, what this device asked before, and that of the address.
const KEY = "recoupe:questions";
const MOST = 30;
const kept = () => {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string").slice(0, MOST) : [];
  } catch {
    return []; // the browser keeps nothing, or somebody else's words
  }
};
const made = (tag, className, textContent) =>
  Object.assign(document.createElement(tag), { className, textContent });
const show = () => {
  element.querySelector(".rc-before")?.remove();
  const questions = kept();
  if (!questions.length) return;
  const details = made("details", "rc-before", "");
  details.append(made("summary", "", `Vos questions sur cet appareil (${questions.length})`));
  for (const question of questions) {
    const button = made("button", "rc-example", question);
    button.type = "button";
    details.append(button);
  }
  const forget = made("button", "rc-forget", "Les effacer de cet appareil");
  forget.type = "button";
  details.append(forget);
  element.append(details);
};
element.addEventListener("click", (event) => {
  if (event.target.closest(".rc-forget")) {
    try {
      localStorage.removeItem(KEY);
    } catch { /* nothing was kept */ }
    show();
    return;
  }
  const button = event.target.closest("button.rc-example");
  if (button) trigger("select", { question: button.textContent });
});
// Questions stay on this device, without their answers: what an article says no more is not kept.
document.addEventListener("recoupe:asked", ({ detail: question }) => {
  const others = kept().filter((one) => one !== question);
  try {
    localStorage.setItem(KEY, JSON.stringify([question, ...others].slice(0, MOST)));
  } catch {
    return; // full, or forbidden
  }
  show();
});
watch("value", show);
show();

// A link to an answer asks its question again: the corpus may say something else since.
const linked = new URLSearchParams(location.search).get("q")?.trim();
if (linked) setTimeout(() => trigger("select", { question: linked.slice(0, 1000) }), 300);
