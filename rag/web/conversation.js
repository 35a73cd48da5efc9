// One listener for the whole conversation: marks, nearest sentences, copy, export.
element.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { turn, number, near } = button.dataset;
  if (button.matches(".rc-cite")) {
    trigger("select", { turn, number });
    return;
  }
  if (button.matches(".rc-near")) {
    trigger("select", { turn, near });
    return;
  }
  const article = button.closest(".rc-turn");
  const markdown = article?.querySelector(".rc-markdown")?.textContent;
  if (!markdown) return;
  const done = article.querySelector(".rc-done");
  if (button.matches(".rc-copy")) {
    try {
      await navigator.clipboard.writeText(markdown);
      done.textContent = "Copié.";
    } catch {
      done.textContent = "Copie refusée par le navigateur : utilisez l’export.";
    }
  } else if (button.matches(".rc-export")) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([markdown], { type: "text/markdown" }));
    link.download = "recoupe.md";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    done.textContent = "Exporté.";
  }
});
