/* Recoupe widget: <recoupe-chat>. One file, no dependency, nothing inline, no cookie. */
(() => {
  const HOST = new URL(document.currentScript?.src ?? location.href).origin;
  const CSS = `
:host { display: block; }
:host([hidden]) { display: none; }
/* The host page can style <recoupe-chat> itself; from here on it is ours. */
.root { all: initial; display: block; font: medium/1.5 var(--recoupe-font, system-ui, sans-serif); --_accent: var(--recoupe-accent, #2f4a8a); --_round: var(--recoupe-radius, 10px); --_on: var(--recoupe-on-accent, #fff);
  --_ink: var(--recoupe-ink, #1c2430); --_soft: var(--recoupe-soft, #55606e);
  --_paper: var(--recoupe-paper, #fff); --_line: var(--recoupe-line, #8a94a3);
  --_tint: var(--recoupe-tint, #f1f4f9); --_link: var(--recoupe-link, #2f4a8a);
  color: var(--_ink); }
.dark { color-scheme: dark; --_accent: var(--recoupe-accent, #9db7ff); --_on: var(--recoupe-on-accent, #10151d);
  --_ink: var(--recoupe-ink, #e8ecf2); --_soft: var(--recoupe-soft, #b3bdca);
  --_paper: var(--recoupe-paper, #1b222c); --_line: var(--recoupe-line, #75818f);
  --_tint: var(--recoupe-tint, #26303d); --_link: var(--recoupe-link, #9db7ff); color: var(--_ink); }
* { box-sizing: border-box; }
.panel { display: flex; flex-direction: column; background: var(--_paper); color: var(--_ink);
  border: 1px solid var(--_line); border-radius: var(--_round); overflow: hidden; min-width: 0; }
.inline { max-height: var(--recoupe-height, 36em); }
.bubble { position: fixed; right: 1em; bottom: 1em; z-index: 2147483000; }
.bubble .panel { width: min(26em, calc(100vw - 2em)); height: min(36em, calc(100vh - 2em)); box-shadow: 0 8px 30px #0005; }
.bubble .panel[hidden] { display: none; }
header { display: flex; align-items: center; gap: .5em; padding: .6em .9em; background: var(--_accent); color: var(--_on); }
h2 { font-size: 1.05em; margin: 0; flex: 1; }
button, textarea { font: inherit; color: inherit; }
button { cursor: pointer; border-radius: 6px; border: 1px solid var(--_line); background: var(--_paper); padding: .3em .7em; min-height: 2em; }
header button { background: transparent; border-color: currentColor; }
.open, .send { background: var(--_accent); color: var(--_on); border-color: var(--_accent); }
.open { padding: .7em 1.1em; border-radius: 2em; }
.log { flex: 1; overflow: auto; padding: .8em .9em; overflow-wrap: anywhere; }
.log p { margin: .4em 0; }
.q { font-weight: 650; background: var(--_tint); padding: .4em .7em; border-radius: 8px; margin: .8em 0 .4em; }
.soft, .about { color: var(--_soft); font-size: .9em; }
.about { padding: .2em .9em .6em; margin: 0; }
.cite { min-height: 1.5em; min-width: 1.6em; padding: 0 .35em; font-size: .8em; margin: 0 .15em; color: var(--_link); border-radius: 1em; }
.proof { border-left: 3px solid var(--_accent); background: var(--_tint); margin: .3em 0 .6em; padding: .4em .8em; }
.proof blockquote { margin: 0 0 .3em; font-family: Georgia, serif; }
a { color: var(--_link); }
.warn { text-decoration: underline wavy; }
form { display: flex; gap: .5em; padding: .6em .9em; border-top: 1px solid var(--_line); align-items: end; }
label { flex: 1; font-size: .85em; color: var(--_soft); min-width: 0; }
textarea { display: block; width: 100%; resize: vertical; border: 1px solid var(--_line); border-radius: 6px; background: var(--_paper); color: var(--_ink); padding: .3em .45em; font-size: 1.17em; }
.cards { list-style: none; margin: .5em 0; padding: 0; }
.cards li { border: 1px solid var(--_line); border-radius: 8px; padding: .4em .7em; margin: .4em 0; }
.cards p { margin: 0; }
.chip { border-radius: 1em; color: var(--_link); font-size: .9em; }
.ideas { display: flex; flex-wrap: wrap; gap: .4em; margin: .5em 0; }
:focus-visible { outline: 3px solid var(--_link); outline-offset: 2px; }
header :focus-visible { outline-color: currentColor; }
[hidden] { display: none !important; }
.busy::after { content: "…"; animation: b 1s steps(2) infinite; } @keyframes b { 50% { opacity: .2; } }
@media (prefers-reduced-motion: reduce) { .busy::after { animation: none; } }
`;
  const T = {
    title: "Interroger nos articles",
    welcome: "Posez une question : la réponse vient des articles du site, et chaque phrase porte sa source.",
    about: "Réponses composées automatiquement avec les phrases des articles du site. Ouvrez un numéro pour lire la phrase citée.",
    field: "Votre question", send: "Demander", stop: "Arrêter", close: "Fermer", clear: "Effacer",
    perhaps: "Peut-être :",
    refused: "Essayez avec d’autres mots, ou lisez ces articles :",
    suggested: "Les articles répondent à une question proche :",
    stopped: "Réponse arrêtée.", lost: "Le service ne répond pas : réessayez dans un instant.",
    read: "Lire l’article", useful: "Utile", wrong: "Erreur", thanks: "Merci, c’est noté.",
    context: "Compris avec ce qui précède :", without: (t) => `Demander sans « ${t} »`, paid: "payant", changed: "corrigé le",
    source: (n) => `Source ${n} : lire la phrase citée`,
  };
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);

  const el = (name, props = {}, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(props)) {
      if (key === "on") for (const [type, heard] of Object.entries(value)) node.addEventListener(type, heard);
      else if (key in node && !key.startsWith("aria")) node[key] = value;
      else node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child != null));
    return node;
  };
  const day = (iso) => iso
    ? new Intl.DateTimeFormat("fr", { dateStyle: "long", timeZone: "UTC" }).format(new Date(`${iso}T00:00:00Z`))
    : "";
  const when = (s) => day(s.published) && day(s.published) + (s.deduced ? " (date déduite)" : "");
  /* A question with what it took from before, as the server words it. */
  const CONTEXT = /^(.+?)\s*\(à propos de\s*:\s*([^()]{1,300})\)\s*$/;
  const label = (s) => [s.source, s.title && `« ${s.title} »`, when(s), s.page && `p. ${s.page}`].filter(Boolean).join(", ");
  /* https only: a link of an article is data. */
  const web = (url) => { try { return /^https?:$/.test(new URL(url).protocol); } catch { return false; } };
  /* A text fragment scrolls to the quote: https://wicg.github.io/scroll-to-text-fragment/ */
  const fragment = (url, quote) => {
    const words = quote.trim().split(/\s+/);
    const piece = (part) => encodeURIComponent(part.join(" ")).replace(/-/g, "%2D");
    const text = words.length > 12 ? `${piece(words.slice(0, 5))},${piece(words.slice(-5))}` : piece(words);
    return `${url.split("#")[0]}#:~:text=${text}`;
  };
  const parseEvents = async function* (body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      rest += value ?? "";
      const blocks = rest.split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) {
        let name = "message";
        const data = [];
        for (const line of block.split(/\r?\n/)) {
          if (line.startsWith("event:")) name = line.slice(6).trim();
          else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
        }
        if (data.length) yield [name, JSON.parse(data.join("\n"))];
      }
      if (done) return;
    }
  };

  let count = 0;
  class RecoupeChat extends HTMLElement {
    static observedAttributes = ["accent", "theme"];
    #turns = []; #abort; #ui = {}; #key; #accent; #dark = matchMedia("(prefers-color-scheme: dark)");

    connectedCallback() {
      if (this.shadowRoot) return;
      if (!this.lang) this.lang = "fr";
      const get = (name) => this.getAttribute(name) || "";
      const list = (name) => get(name).split("|").map((s) => s.trim()).filter(Boolean);
      this.host = get("host") || HOST;
      this.headers = this.hasAttribute("site") ? { "X-Recoupe-Site": get("site") } : {};
      this.filters = { sources: list("sources") };
      for (const name of ["since", "until"]) if (get(name)) this.filters[name] = get(name);
      this.#key = `recoupe:${this.host}:${this.id || count++}`;
      const bubble = get("mode") === "bubble";
      const title = get("title") || T.title;
      this.removeAttribute("title");
      const u = this.#ui;
      u.log = el("div", { className: "log", role: "log", "aria-live": "polite", tabIndex: 0, "aria-label": "Conversation", part: "conversation" });
      u.field = el("textarea", { rows: 2, maxLength: 1000, part: "field", on: { keydown: (e) => {
        if (e.key === "Enter" && !e.shiftKey && !e.isComposing) { e.preventDefault(); this.ask(u.field.value); }
      } } });
      u.send = el("button", { className: "send", type: "submit", part: "send", textContent: T.send });
      u.stop = el("button", { type: "button", part: "stop", textContent: T.stop, hidden: true, on: { click: () => this.#abort?.abort() } });
      const form = el("form", { on: { submit: (e) => { e.preventDefault(); this.ask(u.field.value); } } },
        el("label", {}, T.field, u.field), u.send, u.stop);
      const clear = el("button", { type: "button", textContent: T.clear, on: { click: () => this.clear() } });
      u.close = el("button", { type: "button", textContent: T.close, hidden: !bubble, on: { click: () => this.toggle(false) } });
      u.panel = el("section", { className: "panel", part: "panel", "aria-label": title, hidden: bubble },
        el("header", { part: "header" }, el("h2", { textContent: title }), clear, u.close),
        u.log, form, el("p", { className: "about", textContent: T.about }));
      u.open = el("button", { className: "open", type: "button", part: "open", textContent: title, hidden: !bubble, "aria-expanded": "false", on: { click: () => this.toggle(true) } });
      u.root = el("div", { className: bubble ? "root bubble" : "root", on: { keydown: (e) => { if (bubble && e.key === "Escape") this.toggle(false); } } }, u.open, u.panel);
      if (!bubble) u.panel.classList.add("inline");
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [sheet];
      root.append(u.root);
      this.#dark.addEventListener("change", () => this.#paint());
      this.#paint();
      try { this.#turns = JSON.parse(sessionStorage.getItem(this.#key)) ?? []; } catch { this.#turns = []; }
      this.#welcome(get("welcome") || T.welcome, list("questions"));
      if (this.#turns.length) this.#restore();
      if (this.hasAttribute("site")) this.#look();
    }

    #fetch(path, post, headers) {
      return fetch(`${this.host}/api/v1/${path}`, { credentials: "omit", referrerPolicy: "no-referrer",
        ...(post && { method: "POST", ...post }), headers: { ...(post && { "Content-Type": "application/json" }), ...headers, ...this.headers } });
    }

    // The look that the server has for the site; what the page says of it stands.
    async #look() {
      try {
        const response = await this.#fetch("site");
        if (!response.ok) return;
        const { accent, font, radius } = await response.json();
        const style = getComputedStyle(this);
        const set = (name, value) => style.getPropertyValue(name) || this.style.setProperty(name, value);
        if (font) set("--recoupe-font", font);
        if (radius != null) set("--recoupe-radius", `${radius}px`);
        if (!style.getPropertyValue("--recoupe-accent")) this.#accent = accent;
        this.#paint();
      } catch { /* as it is */ }
    }

    // What was removed from the corpus since, or withdrawn, is not shown again.
    async #restore() {
      const cited = ({ answer: a }) => [...a.statements.flatMap((s) => s.citations), ...(a.nearest ?? [])].map((c) => c.article_id);
      const ids = [...new Set(this.#turns.flatMap(cited))], there = new Set();
      try {
        for (let at = 0; at < ids.length; at += 50) {
          const response = await this.#fetch(`articles?ids=${ids.slice(at, at + 50).join(",")}`);
          for (const a of (await response.json()).articles) if (!a.withdrawn) there.add(a.article_id);
        }
        this.#turns = this.#turns.filter((turn) => cited(turn).every((id) => there.has(id)));
        this.#store();
        for (const turn of this.#turns) this.#show(this.#turn(turn.question), turn.answer);
      } catch { this.#turns = []; /* what cannot be looked at is not shown; it stays for the next page */ }
    }

    disconnectedCallback() { this.#abort?.abort(); }
    attributeChangedCallback() { if (this.shadowRoot) this.#paint(); }

    toggle(open) {
      const u = this.#ui;
      u.panel.hidden = !open;
      u.open.hidden = open;
      u.open.setAttribute("aria-expanded", String(open));
      (open ? u.field : u.open).focus();
    }

    clear() {
      this.#abort?.abort();
      this.#turns = [];
      this.#store();
      for (const turn of this.#ui.log.querySelectorAll(".turn")) turn.remove();
      this.#ui.field.focus();
    }

    async ask(question) {
      question = question.trim();
      if (!question || this.#abort) return;
      const u = this.#ui;
      const turn = this.#turn(question);
      const draft = el("p", { className: "soft busy", "aria-hidden": "true" });
      turn.append(draft);
      u.field.value = "";
      this.#busy(true);
      const abort = (this.#abort = new AbortController());
      const history = this.#turns.slice(-3).map((t) => ({ question: t.question, answer: t.answer.answer.slice(0, 4000) }));
      try {
        const body = JSON.stringify({ question, history, filters: this.filters });
        const response = await this.#fetch("ask", { signal: abort.signal, body }, { Accept: "text/event-stream" });
        if (!response.ok) throw (await response.json().catch(() => null)) ?? {};
        let said = "", done = null;
        for await (const [name, data] of parseEvents(response.body)) {
          if (name === "draft") draft.textContent = `${said} ${data.text}`;
          else if (name === "statement") draft.textContent = said += ` ${data.text}`;
          else if (name === "error") throw data;
          else if (name === "done") done = data;
        }
        if (!done) throw {};
        draft.remove();
        this.#show(turn, done);
        this.#turns = [...this.#turns, { question, answer: slim(done) }].slice(-20);
        this.#store();
      } catch (error) {
        draft.remove();
        turn.append(el("p", { className: "soft", role: "status", textContent: abort.signal.aborted ? T.stopped : error?.detail || T.lost }));
        if (!abort.signal.aborted) u.field.value = question;
      } finally {
        this.#abort = undefined;
        this.#busy(false);
      }
    }

    #busy(yes) {
      this.#ui.send.hidden = yes;
      this.#ui.stop.hidden = !yes;
      if (!yes && this.shadowRoot.activeElement === this.#ui.stop) this.#ui.field.focus();
    }

    #turn(question) {
      const turn = el("div", { className: "turn" }, el("p", { className: "q", textContent: CONTEXT.exec(question)?.[1] ?? question }));
      this.#ui.log.append(turn);
      this.#top(turn);
      return turn;
    }

    // The question at the top of the conversation, its answer under it; the page stays where it is.
    #top(turn) {
      const log = this.#ui.log;
      log.scrollTop += turn.getBoundingClientRect().top - log.getBoundingClientRect().top - 8;
    }

    #welcome(text, questions) {
      const ideas = questions.map((q) => el("button", { type: "button", textContent: q, on: { click: () => this.ask(q) } }));
      this.#ui.log.append(el("p", { className: "soft", textContent: text }), ...(ideas.length ? [el("div", { className: "ideas" }, ...ideas)] : []));
    }

    #show(turn, answer) {
      const [, asked, terms] = CONTEXT.exec(answer.asked ?? "") ?? [];
      if (terms) {
        const all = terms.split(",").map((t) => t.trim());
        turn.append(el("p", { className: "soft" }, T.context, ...all.flatMap((t) => [" ", el("button", {
          type: "button", className: "chip", textContent: `${t} ×`, "aria-label": T.without(t),
          on: { click: () => { const left = all.filter((o) => o !== t).join(", "); this.ask(left ? `${asked} (à propos de\u00a0: ${left})` : asked); } },
        })])));
      }
      if (answer.notice) turn.append(el("p", { className: "soft", textContent: answer.notice }));
      if (answer.refused) {
        turn.append(el("p", { textContent: answer.answer }));
        if (answer.nearest?.length) turn.append(el("p", { className: "soft", textContent: answer.tentative ? T.perhaps : T.refused }), el("ul", {}, ...answer.nearest.map((n) => el("li", {},
          web(n.url) ? this.#link(n, fragment(n.url, n.quote), label(n)) : label(n),
          el("p", { className: "soft", textContent: `« ${n.quote.trim()} »` })))));
        if (answer.suggestion) turn.append(el("p", { className: "soft", textContent: T.suggested }), el("div", { className: "ideas" },
          el("button", { type: "button", textContent: answer.suggestion, on: { click: () => this.ask(answer.suggestion) } })));
      }
      if (answer.intro) turn.append(el("p", { textContent: answer.intro }));
      const seen = new Map(), cards = new Map();
      for (const statement of answer.refused ? [] : answer.statements) {
        const line = el("p", {});
        if (statement.lead_in) line.append(el("span", { className: "soft", textContent: `${statement.lead_in} ` }));
        const letters = [...statement.text], [a, b] = statement.span ?? [0, 0];
        const part = (from, to) => letters.slice(from, to).join("");
        line.append(el("span", { className: statement.supported ? "" : "warn" }, part(0, a), b ? el("strong", { textContent: part(a, b) }) : null, part(b)));
        turn.append(line);
        if (statement.problem) turn.append(el("p", { className: "soft", textContent: statement.problem }));
        for (const cited of statement.citations) {
          const key = `${cited.article_id}:${cited.start}:${cited.end}`;
          if (!seen.has(key)) seen.set(key, seen.size + 1);
          this.#cite(line, cited, seen.get(key));
          const card = cards.get(cited.article_id) ?? { cited, numbers: new Set() };
          cards.set(cited.article_id, card);
          card.numbers.add(seen.get(key));
        }
      }
      if (cards.size) turn.append(el("ul", { className: "cards", part: "sources", "aria-label": "Sources" }, ...[...cards.values()].map(this.#card, this)));
      turn.append(this.#judge(turn, answer));
      this.#top(turn);
    }

    #cite(line, cited, number) {
      const button = el("button", { type: "button", className: "cite", part: "citation", textContent: String(number), "aria-label": T.source(number), "aria-expanded": "false" });
      let proof;
      button.addEventListener("click", () => {
        proof ??= el("div", { className: "proof", part: "quote", hidden: true },
          el("blockquote", { textContent: `« ${cited.quote.trim()} »` }),
          el("p", { className: "soft", textContent: label(cited) }),
          web(cited.url) ? this.#link(cited, fragment(cited.url, cited.quote), T.read) : null);
        if (!proof.isConnected) line.after(proof);
        proof.hidden = !proof.hidden;
        button.setAttribute("aria-expanded", String(!proof.hidden));
      });
      line.append(button);
    }

    #card({ cited: c, numbers }) {
      const changed = c.modified && c.modified !== c.published && `${T.changed} ${day(c.modified)}`;
      const facts = [c.source, when(c), c.author, c.section, c.paywalled && T.paid, changed];
      return el("li", {}, el("p", {}, `${[...numbers].join(", ")}. `, el("strong", { textContent: c.title || c.source })),
        el("p", { className: "soft" }, facts.filter(Boolean).join(" · "), ...(web(c.url) ? [" · ", this.#link(c, c.url, T.read)] : [])));
    }

    #link(of, url, text) {
      return el("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow", textContent: text });
    }

    #judge(turn, answer) {
      const line = el("p", { className: "soft" });
      const send = (rating) => async () => {
        const question = turn.querySelector(".q").textContent;
        const body = JSON.stringify({ rating, question: question.slice(0, 1000), answer: answer.answer.slice(0, 10000) });
        const response = await this.#fetch("feedback", { body }).catch(() => null);
        const focused = line.contains(this.shadowRoot.activeElement);
        line.textContent = response?.ok ? T.thanks : T.lost;
        if (focused) this.#ui.field.focus();
      };
      line.append(...["useful", "wrong"].flatMap((r) => [el("button", { type: "button", textContent: T[r], on: { click: send(r) } }), " "]));
      return line;
    }

    #store() {
      try { sessionStorage.setItem(this.#key, JSON.stringify(this.#turns)); } catch { /* private mode: forgotten */ }
    }

    #paint() {
      const theme = this.getAttribute("theme");
      this.#ui.root.classList.toggle("dark", theme === "dark" || (theme !== "light" && this.#dark.matches));
      const accent = this.getAttribute("accent") || this.#accent;
      if (!accent || !window.CSS.supports("color", accent)) return;
      this.style.setProperty("--recoupe-accent", accent);
      /* Black or white on it, whichever reads better (WCAG 2.2 relative luminance). */
      const probe = el("span", {});
      probe.style.color = accent;
      this.#ui.root.append(probe);
      const rgb = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
      probe.remove();
      const [r, g, b] = rgb.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
      this.style.setProperty("--recoupe-on-accent", 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff");
    }
  }
  const slim = ({ answer, asked, refused, notice, intro, statements, nearest, tentative, suggestion }) =>
    ({ answer, asked, refused, notice, intro, statements, nearest, tentative, suggestion });
  customElements.get("recoupe-chat") || customElements.define("recoupe-chat", RecoupeChat);
})();
