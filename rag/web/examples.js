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
