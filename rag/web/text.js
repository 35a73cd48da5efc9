// The text to verify: kept on this device as it is written, or read from a file, here: it is not sent before it is
// checked.
const KEY = "recoupe:draft";
const MOST = 4_000_000; // bytes of a file
const LONGEST = 50_000; // characters that are checked
const form = element.closest("#rc-form");
const area = () => form.querySelector("#rc-claims-text textarea");
const input = element.querySelector("#rc-file");
const status = element.querySelector("#rc-file-status");
const put = (text) => {
  const field = area();
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(field, text);
  field.dispatchEvent(new Event("input", { bubbles: true }));
};
const keep = (text) => {
  try {
    if (text) localStorage.setItem(KEY, text);
    else localStorage.removeItem(KEY);
  } catch { /* full, or forbidden: the text is still in its field */ }
};
const kept = () => {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
};
// The words of a page, without its scripts; parsed here it runs nothing and fetches nothing.
const wordsOf = (html) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const node of page.querySelectorAll("script, style, noscript, template, svg, nav, form")) node.remove();
  const root = page.querySelector("article, main") ?? page.body;
  const blocks = [...root.querySelectorAll("h1, h2, h3, h4, p, li, blockquote, td, pre")].filter(
    (node) => !node.querySelector("p, li, blockquote, td"),
  );
  const lines = blocks.map((node) => node.textContent.replace(/\s+/g, " ").trim()).filter(Boolean);
  return lines.length ? lines.join("\n\n") : root.textContent.trim();
};
const decoded = (bytes) => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
};
const read = async (file) => {
  if (!file) return;
  if (!/\.(txt|text|md|html?)$/i.test(file.name)) {
    status.textContent = `« ${file.name} » ne se lit pas ici : enregistrez-le en texte (.txt), ou collez son texte.`;
    return;
  }
  if (file.size > MOST) {
    status.textContent = `« ${file.name} » est trop lourd : coupez-le, ou collez une partie de son texte.`;
    return;
  }
  try {
    const raw = decoded(await file.arrayBuffer());
    const text = /\.html?$/i.test(file.name) ? wordsOf(raw) : raw;
    if (!text.trim() || text.includes("\0")) throw new Error("no text");
    put(text);
    status.textContent =
      text.length > LONGEST
        ? `« ${file.name} » est dans le champ : il dépasse 50 000 caractères, gardez-en une partie.`
        : `« ${file.name} » est dans le champ : relisez, puis vérifiez.`;
    area().focus();
  } catch {
    status.textContent = `« ${file.name} » ne contient pas de texte lisible : collez son texte.`;
  }
};
input.addEventListener("change", () => {
  read(input.files[0]);
  input.value = "";
});
form.addEventListener("dragover", (event) => {
  if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
});
form.addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  read(event.dataTransfer.files[0]);
});
form.addEventListener("input", (event) => {
  if (event.target === area()) keep(event.target.value);
});
document.addEventListener("click", (event) => {
  if (event.target.closest?.("#rc-check-clear")) keep("");
});
// The field comes a moment after this script.
const restore = (left) => {
  if (area()) {
    if (kept() && !area().value) put(kept());
  } else if (left) setTimeout(restore, 100, left - 1);
};
restore(50);
