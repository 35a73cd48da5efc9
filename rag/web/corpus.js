// One listener for the whole list: filters, the timeline, the order, pages, articles to read. The
// keyboard stays where it was when the list comes anew, and what was found is announced.
const pressed = "[data-act]";
let last = "";
const key = ({ dataset, parentElement }) =>
  [dataset.act, parentElement.closest(".rc-chips") ? "chip" : "", dataset.field, dataset.value].join(" ");
const send = (button) => {
  last = key(button);
  trigger("select", { ...button.dataset });
};
element.addEventListener("click", (event) => {
  const button = event.target.closest(pressed);
  if (button) send(button);
});
// A bar of the timeline is no button of the browser's: Enter and space press it, arrows go along.
element.addEventListener("keydown", (event) => {
  const bar = event.target.closest(".rc-bar");
  if (!bar) return;
  const bars = [...element.querySelectorAll(".rc-bar")];
  const at = bars.indexOf(bar);
  const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: bars.length - 1 }[event.key];
  if (event.key === "Enter" || event.key === " ") {
    send(bar);
  } else if (next === undefined) {
    return;
  } else if (bars[next]) {
    bar.setAttribute("tabindex", "-1");
    bars[next].setAttribute("tabindex", "0");
    bars[next].focus();
  }
  event.preventDefault();
});
const open = new Set();
element.addEventListener(
  "toggle",
  (event) => {
    const facet = event.target.dataset?.facet;
    if (!facet || !event.target.isConnected) return;
    if (event.target.open) open.add(facet);
    else open.delete(facet);
  },
  true,
);
const status = document.createElement("p");
status.setAttribute("role", "status");
status.className = "rc-announced";
element.parentElement.append(status);
watch("value", () => {
  for (const facet of element.querySelectorAll("[data-facet]")) facet.open = open.has(facet.dataset.facet);
  const found = element.querySelector(".rc-found");
  const none = element.querySelector(".rc-refusal, .rc-error");
  status.textContent = (none ?? found)?.textContent ?? "";
  if (!last || (document.activeElement !== document.body && !element.contains(document.activeElement))) return;
  const same = [...element.querySelectorAll(pressed)].find((node) => key(node) === last && !node.disabled);
  const target = last.startsWith("page") ? found : (same ?? found);
  last = "";
  if (target?.matches(".rc-bar")) {
    for (const bar of element.querySelectorAll(".rc-bar")) bar.setAttribute("tabindex", bar === target ? "0" : "-1");
  }
  target?.focus();
});
