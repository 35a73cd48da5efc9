// The text with its claims: one listener for all of them. Claims open beside the text, by click or by keyboard;
// evidence, decisions, notes and exports go to the server. What is chosen survives a new rendering.
const home = element.closest("#rc-verify");
const all = (selector) => [...element.querySelectorAll(selector)];
const badgeOf = (claim) => element.querySelector(`button.rc-badge[data-claim="${claim}"]`);
let chosen = "";
let filter = "";
let focused = null; // the claim whose badge or panel had the keyboard, before a new rendering
const sheet = () => matchMedia("(max-width: 800px)").matches; // the panel lies over the text

const choose = (claim, { enter = false } = {}) => {
  chosen = String(claim);
  for (const panel of all(".rc-claim")) panel.hidden = panel.dataset.claim !== chosen;
  for (const mark of all(".rc-badge, .rc-span")) {
    mark.classList.toggle("rc-chosen", mark.dataset.claim === chosen);
    if (mark.matches("button")) mark.ariaCurrent = mark.dataset.claim === chosen ? "true" : null;
  }
  const panel = element.querySelector(".rc-claim:not([hidden])");
  element.querySelector(".rc-hint")?.toggleAttribute("hidden", Boolean(panel));
  if (enter && panel) {
    element.classList.add("rc-open");
    panel.focus({ preventScroll: !sheet() });
    if (!sheet()) panel.scrollIntoView({ block: "nearest" });
  }
};
const back = () => {
  element.classList.remove("rc-open");
  badgeOf(chosen)?.focus();
};
const show = (verdict) => {
  filter = verdict;
  for (const button of all("[data-filter]")) button.setAttribute("aria-pressed", String(button.dataset.filter === filter));
  for (const badge of all("button.rc-badge")) {
    const off = Boolean(filter) && badge.dataset.verdict !== filter;
    badge.classList.toggle("rc-off", off);
    element.querySelector(`.rc-span[data-claim="${badge.dataset.claim}"]`)?.classList.toggle("rc-off", off);
  }
};
const step = (from, by) => {
  const open = all("button.rc-badge:not(.rc-off)");
  if (!open.length) return;
  const at = open.indexOf(from);
  const next = open[at < 0 ? 0 : Math.min(Math.max(at + by, 0), open.length - 1)];
  next.focus();
  if (!sheet()) choose(next.dataset.claim);
};
const claimOf = (node) => node.closest(".rc-claim")?.dataset.claim;
// What somebody decided is in the text at once: the badge, its line, and how many there are of each.
const decided = (claim, name, title, mark) => {
  const badge = badgeOf(claim);
  const span = element.querySelector(`.rc-span[data-claim="${claim}"]`);
  for (const node of [badge, span]) {
    node?.classList.remove(`rc-verdict-${badge.dataset.verdict}`);
    node?.classList.add(`rc-verdict-${name}`);
  }
  badge.dataset.verdict = name;
  badge.querySelector(".rc-name").textContent = title;
  badge.querySelector(".rc-decided").textContent = mark && ` ${mark}`;
  for (const button of all("[data-filter]:not([data-filter=''])")) {
    const count = all(`button.rc-badge[data-verdict="${button.dataset.filter}"]`).length;
    button.querySelector("span").textContent = count;
    button.hidden = !count;
  }
  show(element.querySelector(`[data-filter="${filter}"]:not([hidden])`) ? filter : "");
};
const unpress = (review) => {
  for (const other of review.querySelectorAll(".rc-decide")) other.setAttribute("aria-pressed", "false");
};

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) {
    const span = event.target.closest(".rc-span");
    if (span && badgeOf(span.dataset.claim) && getSelection().isCollapsed) choose(span.dataset.claim, { enter: sheet() });
    return;
  }
  const { claim, evidence, decision } = button.dataset;
  if (button.matches(".rc-badge")) {
    choose(claim, { enter: sheet() || event.detail === 0 }); // detail is 0 from the keyboard
  } else if (button.matches(".rc-back")) {
    back();
  } else if (button.matches("[data-filter]")) {
    show(button.dataset.filter);
  } else if (button.matches(".rc-edit")) {
    edit();
  } else if (button.matches(".rc-proof")) {
    trigger("select", { claim, evidence });
  } else if (button.matches(".rc-save")) {
    trigger("select", { export: button.dataset.export });
  } else if (button.matches(".rc-decide")) {
    const pressed = button.getAttribute("aria-pressed") !== "true";
    const review = button.closest(".rc-review");
    unpress(review);
    button.setAttribute("aria-pressed", String(pressed));
    review.querySelector(".rc-correct").value = "";
    const rejected = pressed && decision === "rejected";
    decided(claimOf(button), rejected ? decision : review.dataset.verdict, review.dataset.name, pressed ? button.dataset.mark : "");
    trigger("select", { claim: claimOf(button), decision: pressed ? decision : "" });
  }
});
element.addEventListener("change", (event) => {
  const field = event.target;
  const claim = claimOf(field);
  if (field.matches(".rc-correct")) {
    const review = field.closest(".rc-review");
    unpress(review);
    const to = field.value && field.selectedOptions[0];
    decided(claim, (to || review).dataset.verdict, to ? to.value : review.dataset.name, to ? field.dataset.mark : "");
    trigger("select", { claim, verdict: field.value, decision: "" });
  } else if (field.matches(".rc-note")) {
    trigger("select", { claim, note: field.value });
  }
});
// On the page too: what is judged anew, or hidden, leaves the keyboard to no control.
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || !element.checkVisibility()) return;
  const { target } = event;
  if (target !== document.body && !home.contains(target)) return;
  if (target.matches("input, select, textarea, [contenteditable]") || target.closest("#rc-proof")) return;
  const by = { j: 1, ArrowDown: 1, ArrowRight: 1, k: -1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!by || (target.closest(".rc-claim") && !/^[jk]$/.test(event.key))) return; // arrows scroll a panel
  if (!badgeOf(chosen)) return;
  event.preventDefault();
  step(target.matches("button.rc-badge") ? target : badgeOf(chosen), by);
});
// Before the article's own listener: Escape closes what lies on top, the article first.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !element.checkVisibility()) return;
  const article = home.querySelector("#rc-proof:not(:has(.rc-closed)) .rc-article");
  if (!article && element.querySelector(".rc-claim:focus-within, .rc-claim:focus")) back();
}, true);
element.addEventListener("focusin", (event) => {
  focused = event.target.closest("button.rc-badge, .rc-claim")?.dataset.claim ?? null;
});

// The text is to be written again: what was checked is its draft when there is no other.
const edit = () => {
  home.classList.add("rc-editing");
  const area = home.querySelector("#rc-claims-text textarea");
  if (!area.value) {
    const text = element.querySelector(".rc-text").cloneNode(true);
    for (const badge of text.querySelectorAll(".rc-badge")) badge.remove();
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(area, text.textContent);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
  area.focus();
};
home.addEventListener("click", (event) => {
  if (event.target.closest("#rc-check, #rc-check-clear")) {
    home.classList.remove("rc-editing");
    element.classList.remove("rc-open");
    chosen = filter = "";
    focused = null;
  }
});

const render = () => {
  const before = focused;
  show(element.querySelector(`[data-filter="${filter}"]:not([hidden])`) ? filter : "");
  if (!badgeOf(chosen)) {
    element.classList.remove("rc-open");
    chosen = all("button.rc-badge")[0]?.dataset.claim ?? "";
  }
  choose(chosen);
  if (before === null || document.activeElement !== document.body) return;
  const panel = element.matches(".rc-open") && element.querySelector(".rc-claim:not([hidden])"); // it lies over the text
  (panel || badgeOf(before))?.focus({ preventScroll: true });
};
watch("value", render);
render();

// Each verdict is in the text as it is reached; the whole is rendered again less often.
const colour = () => {
  const last = home.querySelector("#rc-progress [data-at]");
  const { at, verdict, label } = last?.dataset ?? {};
  const badge = at && element.querySelector(`span.rc-badge[data-claim="${at}"]`);
  if (!badge) return;
  badge.classList.add(`rc-verdict-${verdict}`);
  badge.querySelector("span").textContent = label;
  element.querySelector(`.rc-span[data-claim="${at}"]`)?.classList.add(`rc-verdict-${verdict}`);
};
const progress = home.querySelector("#rc-progress");
if (progress) new MutationObserver(colour).observe(progress, { childList: true, subtree: true, characterData: true, attributes: true });
