// One listener for all claims: evidence, decisions, notes, exports.
const claimOf = (node) => node.closest(".rc-claim")?.dataset.claim;
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { claim, evidence, decision } = button.dataset;
  if (button.matches(".rc-proof")) {
    trigger("select", { claim, evidence });
  } else if (button.matches(".rc-save")) {
    trigger("select", { export: button.dataset.export });
  } else if (button.matches(".rc-decide")) {
    const pressed = button.getAttribute("aria-pressed") !== "true";
    const review = button.closest(".rc-review");
    for (const other of review.querySelectorAll(".rc-decide")) other.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", String(pressed));
    review.querySelector(".rc-correct").value = "";
    trigger("select", { claim: claimOf(button), decision: pressed ? decision : "" });
  }
});
element.addEventListener("change", (event) => {
  const field = event.target;
  const claim = claimOf(field);
  if (field.matches(".rc-correct")) {
    for (const other of field.closest(".rc-review").querySelectorAll(".rc-decide")) other.setAttribute("aria-pressed", "false");
    trigger("select", { claim, verdict: field.value, decision: "" });
  } else if (field.matches(".rc-note")) {
    trigger("select", { claim, note: field.value });
  }
});
