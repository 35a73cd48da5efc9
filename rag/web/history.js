// Conversations of this device: their questions, and their answers sealed by the server, in
// localStorage alone. The server opens a seal; an answer that cites an article that is gone goes.
const KEY = "recoupe:conversations";
const CURRENT = "recoupe:current"; // which one this tab shows
const OLD = "recoupe:questions"; // of an earlier version
const MOST = 50;
const MOST_TURNS = 30;
const MOST_EXPORTED = 600000; // characters that one export sends
let search = "";
let renaming = "";
let notice = "";
let told = "";
let sure = false; // the erasing was asked for once
let opened = false;
let at = "";
// The server forgets the turns of a page two hours after the last one: they are given back before.
const FORGOTTEN = 3600000; // ms
let remembered = Date.now();
const linking = Boolean(new URLSearchParams(location.search).get("q"));

const isTurn = (t) => typeof t?.q === "string" && typeof t?.s === "string" && Array.isArray(t?.a);
const isOne = (c) => typeof c?.id === "string" && typeof c?.title === "string" && Array.isArray(c?.turns);
const all = () => {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((c) => isOne(c) && c.turns.every(isTurn)) : [];
  } catch {
    return []; // the browser keeps nothing, or somebody else's words
  }
};
const keep = (list) => {
  for (let most = MOST; most > 0; most = Math.floor(most / 2)) {
    try {
      localStorage.setItem(KEY, JSON.stringify(list.slice(0, most)));
      notice = most < MOST && list.length > most ? "Place manquante : les plus anciennes sont parties." : "";
      return true;
    } catch (error) {
      if (error?.name !== "QuotaExceededError") break;
    }
  }
  notice = "Cet appareil ne garde rien : le navigateur le refuse, ou la place manque.";
  return false;
};
const current = (id) => {
  if (id !== undefined) remembered = Date.now();
  try {
    if (id !== undefined) sessionStorage.setItem(CURRENT, id);
    return sessionStorage.getItem(CURRENT) ?? "";
  } catch {
    return "";
  }
};
const add = ({ question, sealed, articles }) => {
  const turn = { q: question, s: sealed, a: articles.split(" ").filter(Boolean) };
  const list = all();
  const linked = (c) => linking && c.turns.length === 1 && c.turns[0].q === question;
  const one = list.find((c) => c.id === current()) ?? list.find(linked);
  if (one && linked(one)) one.turns = [];
  const id = one?.id ?? crypto.randomUUID?.() ?? String(Date.now());
  const turns = [...(one?.turns ?? []), turn].slice(-MOST_TURNS);
  const title = one?.title ?? question.slice(0, 120);
  keep([{ id, title, at: Date.now(), turns }, ...list.filter((c) => c.id !== id)]);
  current(id);
};
const forget = (articles) => {
  const gone = new Set(articles.split(" ").filter(Boolean));
  if (!gone.size) return;
  const left = (t) => (t.a.some((id) => gone.has(id)) ? { q: t.q, s: "", a: [] } : t);
  keep(all().map((c) => ({ ...c, turns: c.turns.map(left) })));
};
const change = (id, made) => keep(all().flatMap((c) => (c.id === id ? made(c) : [c])));

const node = (tag, className, textContent = "") =>
  Object.assign(document.createElement(tag), { className, textContent });
const press = (className, label, id = "") => {
  const button = node("button", className, label);
  button.type = "button";
  button.dataset.id = id;
  return button;
};
const line = (one) => {
  const item = node("li", one.id === current() ? "rc-past rc-current" : "rc-past");
  if (one.id === renaming) {
    const field = Object.assign(node("input", "rc-rename"), { value: one.title, maxLength: 120 });
    field.dataset.id = one.id;
    field.setAttribute("aria-label", "Nom de la conversation");
    item.append(field);
    return item;
  }
  const open = press("rc-open", one.title, one.id);
  if (one.id === current()) open.setAttribute("aria-current", "true");
  const day = new Date(one.at);
  const when = node("span", "rc-when-kept", Number.isNaN(+day) ? "" : day.toLocaleDateString("fr-FR"));
  const rename = press("rc-name", "Renommer", one.id);
  const drop = press("rc-drop-past", "Supprimer", one.id);
  rename.setAttribute("aria-label", `Renommer « ${one.title} »`);
  drop.setAttribute("aria-label", `Supprimer « ${one.title} »`);
  item.append(open, when, rename, drop);
  return item;
};
const matching = (list) => {
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const words = plain(search).split(/\s+/).filter(Boolean);
  const text = (c) => plain(`${c.title} ${c.turns.map((t) => t.q).join(" ")}`);
  return list.filter((c) => words.every((word) => text(c).includes(word)));
};
const draw = () => {
  element.querySelector(".rc-pasts")?.remove();
  const list = all();
  if (!list.length && !notice) return;
  const details = node("details", "rc-pasts");
  details.open = opened;
  details.addEventListener("toggle", () => { opened = details.open; });
  details.append(node("summary", "", `Conversations sur cet appareil (${list.length})`));
  const field = Object.assign(node("input", "rc-search"), { type: "search", value: search, placeholder: "Chercher dans les questions" });
  field.setAttribute("aria-label", "Chercher dans les conversations");
  const items = node("ul", "");
  items.append(...matching(list).map(line));
  const foot = node("p", "rc-past-actions");
  foot.append(press("rc-export-all", "Tout exporter"), press("rc-forget", sure ? "Confirmer : tout effacer" : "Tout effacer de cet appareil"));
  const state = node("p", "rc-meta", notice || told);
  state.setAttribute("role", "status");
  details.append(field, items, foot, state);
  element.append(details);
  element.querySelector(".rc-rename")?.focus();
};
const open = (id) => {
  const one = all().find((c) => c.id === id);
  if (!one) return;
  current(id);
  trigger("select", { open: one.turns.map(({ q, s }) => ({ q, s })) });
};
const exported = () => {
  const some = [];
  let size = 0;
  for (const one of all()) {
    const turns = one.turns.map(({ q, s }) => ({ q, s }));
    size += JSON.stringify(turns).length;
    if (size > MOST_EXPORTED) {
      notice = `Export des ${some.length} conversations les plus récentes.`;
      break;
    }
    some.push(turns);
  }
  trigger("select", { export: some });
};
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { id } = button.dataset;
  if (button.matches(".rc-open")) {
    opened = false;
    open(id);
  } else if (button.matches(".rc-name")) renaming = id;
  else if (button.matches(".rc-drop-past")) {
    change(id, () => []);
    if (id === current()) document.querySelector("button#rc-clear")?.click();
  }
  else if (button.matches(".rc-export-all")) exported();
  else if (button.matches(".rc-forget") && !sure) {
    sure = true;
    setTimeout(() => { sure = false; draw(); }, 6000);
  } else if (button.matches(".rc-forget")) {
    sure = false;
    try {
      localStorage.removeItem(KEY);
    } catch { /* nothing was kept */ }
    current("");
    document.querySelector("button#rc-clear")?.click();
  } else return;
  draw();
});
const renamed = (field) => {
  if (!renaming) return;
  const title = field.value.trim().slice(0, 120);
  renaming = "";
  if (title) change(field.dataset.id, (c) => [{ ...c, title }]);
  draw();
};
element.addEventListener("keydown", (event) => {
  if (event.target.matches?.(".rc-rename") && event.key === "Enter") renamed(event.target);
  if (event.target.matches?.(".rc-rename") && event.key === "Escape") {
    renaming = "";
    draw();
  }
});
element.addEventListener("focusout", (event) => {
  if (event.target.matches?.(".rc-rename")) renamed(event.target);
});
element.addEventListener("input", (event) => {
  if (!event.target.matches?.(".rc-search")) return;
  search = event.target.value;
  const found = matching(all());
  const none = node("li", "rc-meta", "Aucune conversation ne contient ces mots.");
  element.querySelector(".rc-pasts ul").replaceChildren(...(found.length ? found.map(line) : [none]));
});
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("#rc-clear")) return;
  current("");
  draw();
});
document.addEventListener("focusin", (event) => {
  const asking = event.target.closest?.("#rc-composer");
  if (asking && current() && Date.now() - remembered > FORGOTTEN) open(current());
});
addEventListener("storage", (event) => {
  if (event.key === KEY) draw();
});
watch("value", () => {
  const carrier = element.querySelector(".rc-carrier");
  told = carrier?.dataset.retention || told;
  if (carrier && carrier.dataset.at !== at) {
    at = carrier.dataset.at;
    if (carrier.dataset.kind === "turn") add(carrier.dataset);
    else forget(carrier.dataset.articles);
  }
  draw();
});
told = element.querySelector(".rc-carrier")?.dataset.retention ?? "";
try {
  localStorage.removeItem(OLD);
} catch { /* nothing was kept */ }
draw();
document.addEventListener("recoupe:ready", () => {
  const cited = [...new Set(all().flatMap((c) => c.turns.flatMap((t) => t.a)))];
  if (cited.length) trigger("select", { check: cited.slice(0, 1000) });
  if (linking) current(""); // a link begins a conversation
  else if (current()) open(current());
}, { once: true });
