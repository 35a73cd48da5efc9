// Questions to ask with a click: examples, those that other parts of the page ask, that of the address.
element.addEventListener("click", (event) => {
  const button = event.target.closest("button.rc-example");
  if (button) trigger("select", { question: button.textContent });
});
document.addEventListener("recoupe:ask", ({ detail }) => trigger("select", detail));

// The server has answered once: what is asked of it from now on is heard.
let ready = false;
watch("value", () => {
  if (ready) return;
  ready = true;
  document.dispatchEvent(new CustomEvent("recoupe:ready"));
  // A link to an answer asks its question again, with its filters: the corpus may say something else.
  if (new URLSearchParams(location.search).get("q")?.trim())
    trigger("select", { link: location.search.slice(0, 5000) });
});

// What is being written survives a reload: the server may go in the middle of a question.
const DRAFT = "recoupe:draft";
const field = () => document.querySelector("#rc-question textarea");
const session = (act) => {
  try {
    return act(sessionStorage);
  } catch {
    return null; // the browser keeps nothing
  }
};
document.addEventListener("input", (event) => {
  if (event.target === field()) session((kept) => kept.setItem(DRAFT, event.target.value));
});
document.addEventListener("recoupe:answered", () => session((kept) => kept.setItem(DRAFT, field()?.value ?? "")));
document.addEventListener("recoupe:ready", () => {
  const draft = session((kept) => kept.getItem(DRAFT));
  if (!draft || !field() || field().value) return;
  field().value = draft;
  field().dispatchEvent(new Event("input", { bubbles: true }));
}, { once: true });

// The framework's own words are English.
const FRENCH = {
  "Connection to the server was lost. Attempting reconnection...": "Le serveur ne répond plus : nouvelle tentative… Ce que vous avez écrit est gardé.",
  "Connection re-established.": "Le serveur répond de nouveau.",
  "Connection errored out.": "Le serveur ne répond pas : réessayez dans un instant.",
  "Error": "Erreur", "Warning": "Attention", "Info": "Information",
};
new MutationObserver(() => {
  for (const toast of document.querySelectorAll(".toast-body *, .toast-wrap *")) {
    const french = toast.childElementCount ? null : FRENCH[toast.textContent.trim()];
    if (french) toast.textContent = french;
  }
}).observe(document.body, { childList: true, subtree: true });
