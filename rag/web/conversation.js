// One listener for the whole conversation: marks, nearest sentences, copy, export, judgements.
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
  if (button.matches(".rc-judge")) {
    const question = article.querySelector(".rc-question").textContent;
    const body = JSON.stringify({
      rating: button.dataset.rating,
      question: question.slice(0, 1000),
      answer: markdown.slice(0, 10000),
    });
    const response = await fetch(new URL("api/v1/feedback", document.baseURI), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    }).catch(() => null);
    done.textContent = response?.ok
      ? "Merci : la rédaction lira votre avis."
      : "Avis non transmis : réessayez plus tard.";
    return;
  }
  if (button.matches(".rc-copy, .rc-link")) {
    const address = new URL(location.pathname, location.href);
    address.searchParams.set("q", button.dataset.asked ?? "");
    const link = button.matches(".rc-link");
    try {
      await navigator.clipboard.writeText(link ? address.href : markdown);
      done.textContent = link ? "Lien copié : il repose la question." : "Copié.";
    } catch {
      done.textContent = link ? address.href : "Copie refusée par le navigateur : utilisez l’export.";
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
  if (last.querySelector(".rc-actions")) {
    const detail = last.querySelector(".rc-question").textContent;
    document.dispatchEvent(new CustomEvent("recoupe:asked", { detail }));
  }
  last.scrollIntoView({ block: "start" });
}).observe(element, { childList: true, subtree: true });
