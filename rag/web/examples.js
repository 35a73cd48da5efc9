// Questions to ask with a click: examples, what this device asked before, and that of the address.
const KEY = "recoupe:questions";
const kept = () => {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string").slice(0, 30) : [];
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
document.addEventListener("recoupe:asked", show);
watch("value", show);
show();

// A link to an answer asks its question again: the corpus may say something else since.
const linked = new URLSearchParams(location.search).get("q")?.trim();
if (linked) setTimeout(() => trigger("select", { question: linked.slice(0, 1000) }), 300);
