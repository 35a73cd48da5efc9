// When an article opens, bring the cited span into view and let the keyboard follow; a cross or Escape
// closes it, and the keyboard is where it was.
const side = element.closest("#rc-side, #rc-reading") ?? element;
const tab = element.closest("[role=tabpanel]") ?? document;
let opener = null;
const show = () => {
  const cited = element.querySelector("#rc-cited");
  const article = element.querySelector(".rc-article");
  if (!article) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  article.focus({ preventScroll: true });
  (cited ?? article).scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
};
const close = () => {
  side.classList.add("rc-closed");
  if (opener?.isConnected) opener.focus({ preventScroll: true });
};
document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".rc-cite, .rc-near, .rc-proof, .rc-open");
  if (!button || !tab.contains(button) || !button.checkVisibility()) return;
  opener = button;
  // The article that is there already comes back: it does not change, and nothing else tells.
  if (side.classList.contains("rc-closed")) {
    side.classList.remove("rc-closed");
    show();
  }
});
document.addEventListener("keydown", (event) => {
  const open = element.checkVisibility() && !side.classList.contains("rc-closed");
  if (event.key === "Escape" && open && element.querySelector(".rc-article")) close();
});
element.addEventListener("click", (event) => {
  if (event.target.closest(".rc-close")) close();
  const ask = event.target.closest(".rc-ask-article");
  if (ask) {
    const detail = { id: ask.dataset.article, title: ask.dataset.title };
    document.dispatchEvent(new CustomEvent("recoupe:ask-article", { detail }));
  }
  const copy = event.target.closest(".rc-copy-of");
  if (copy) trigger("select", { ...copy.dataset });
});
watch("value", () => {
  side.classList.remove("rc-closed");
  show();
});
