// When an article opens, bring the cited span into view and let the keyboard follow.
watch("value", () => {
  const cited = element.querySelector("#rc-cited");
  const article = element.querySelector(".rc-article");
  if (!article) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  article.focus({ preventScroll: true });
  (cited ?? article).scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
});
