// Filters in force: a click takes one away; an article to ask alone comes from the tab of the corpus.
element.addEventListener("click", (event) => {
  const chip = event.target.closest(".rc-chip");
  if (chip) trigger("select", { field: chip.dataset.field, value: chip.dataset.value });
});
document.addEventListener("recoupe:ask-article", ({ detail }) => {
  trigger("select", { article: detail.id });
  [...document.querySelectorAll("[role=tab]")].find((t) => t.textContent.trim() === "Questions")?.click();
  setTimeout(() => document.querySelector("#rc-question textarea")?.focus(), 50);
});
