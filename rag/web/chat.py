"""The web chat: a conversation, the cited article beside it, and the corpus."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from fastapi.exceptions import RequestValidationError

from rag import texts
from rag.answering.extractive import number_citations, render
from rag.assistant import LocalAssistant
from rag.chatmodel.writing import Draft
from rag.domain import Answer, Citation, Filters, Statement, Turn
from rag.errors import RecoupeError
from rag.french.dates import parse_date
from rag.french.words import shorten
from rag.readers import READERS, Bounds, read_uploads
from rag.web.access import Access
from rag.web.limits import Gate, Rates, client_of
from rag.web.problems import invalid
from rag.web.render import (
    answer_html,
    article_html,
    corpus_html,
    draft_html,
    error_html,
    esc,
)
from rag.web.verify_tab import VerifyTab, browser_state

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)

_KEPT_TURNS = 30
_HERE = files("rag.web")


def mount_chat(
    app: FastAPI, assistant: LocalAssistant, access: Access, rates: Rates, gate: Gate
) -> FastAPI:
    """Mount the chat at `/` of `app`; `access` says who may edit and log in."""
    blocks = Chat(assistant, access, rates, gate).build()
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        blocks,
        path="",
        footer_links=[],
        ssr_mode=False,
        show_error=False,
        max_file_size="50mb",
        theme=_theme(),
        css=_read("chat.css"),
        head='<meta name="viewport" content="width=device-width, initial-scale=1">',
        auth=access.logs_in if access.login else None,
        auth_message=texts.LOGIN if access.login else None,
        app_kwargs={
            "docs_url": None,
            "redoc_url": None,
            "exception_handlers": {RequestValidationError: invalid},
        },
    )
    return mounted


class Chat:
    """The handlers of the page; each conversation's turns live in its own session state."""

    def __init__(self, assistant: LocalAssistant, access: Access, rates: Rates, gate: Gate) -> None:
        """Take the assistant that answers, and the rules."""
        self.assistant = assistant
        self.access = access
        self.rates = rates
        self.gate = gate

    def build(self) -> gr.Blocks:
        """Return the page; upload and removal are shown where somebody may use them."""
        page: gr.Blocks
        with gr.Blocks(title="Recoupe", analytics_enabled=False, fill_width=True) as page:
            gr.HTML(_read("header.html"), js_on_load=None)
            turns = gr.State([])
            kept = browser_state()
            with gr.Tabs():
                with gr.Tab("Questions"):
                    self._questions(page, turns)
                with gr.Tab("Vérifier"):
                    scripts = {n: _read(n) for n in ("verify.js", "export.js", "panel.js")}
                    VerifyTab(self.assistant, self.rates, self.gate, scripts).build(
                        page, kept, _no_article(texts.NO_PROOF)
                    )
                with gr.Tab("Corpus") as tab:
                    self._corpus(page, tab)
        page.queue(default_concurrency_limit=8, max_size=100)
        return page

    def _questions(self, page: gr.Blocks, turns: gr.State) -> None:
        with gr.Row(elem_classes="rc-columns"):
            with gr.Column(scale=3, min_width=320):
                conversation = gr.HTML(
                    _welcome(),
                    elem_id="rc-conversation",
                    js_on_load=_read("conversation.js"),
                    autoscroll=True,
                )
                with gr.Row(elem_classes="rc-ask"):
                    question = gr.Textbox(
                        label="Votre question",
                        placeholder="Posez une question sur les articles…",
                        lines=1,
                        max_lines=4,
                        scale=5,
                        max_length=1000,
                        elem_id="rc-question",
                        autofocus=True,
                    )
                    send = gr.Button("Demander", variant="primary", scale=1, elem_id="rc-send")
                examples = gr.HTML("", elem_id="rc-examples", js_on_load=_read("examples.js"))
                with gr.Accordion("Filtrer par source et par date", open=False):
                    sources = gr.Dropdown([], multiselect=True, label="Sources")
                    with gr.Row():
                        since = gr.Textbox(label="Depuis le", placeholder="01/01/2024")
                        until = gr.Textbox(label="Jusqu’au", placeholder="31/12/2024")
                clear = gr.Button("Nouvelle conversation", size="sm", variant="secondary")
            with gr.Column(scale=2, min_width=320, elem_id="rc-side"):
                panel = gr.HTML(_no_article(), elem_id="rc-panel", js_on_load=_read("panel.js"))

        asking: dict[str, Any] = {
            "fn": self.ask,
            "inputs": [question, turns, sources, since, until],
            "outputs": [conversation, turns, question],
            "show_progress": "hidden",
            "api_visibility": "private",
            "concurrency_limit": self.assistant.settings.concurrent,
            "concurrency_id": "ask",
        }
        gr.on([send.click, question.submit], **asking)
        # The page's own marks and examples come back as events with their data.
        conversation.select(
            self.open_citation, [turns], [panel], show_progress="hidden", api_visibility="private"
        )
        examples.select(
            self.example, None, [question], show_progress="hidden", api_visibility="private"
        ).then(**asking)
        clear.click(
            lambda: (_welcome(), [], _no_article()),
            None,
            [conversation, turns, panel],
            api_visibility="private",
        )
        page.load(
            self.on_load, None, [sources, examples], show_progress="hidden",
            api_visibility="private",
        )  # fmt: skip

    def _corpus(self, page: gr.Blocks, tab: gr.Tab) -> None:
        listing = gr.HTML("", elem_id="rc-listing", js_on_load=None)
        if self.access.has_admin:
            token = gr.Textbox(
                label="Jeton d’administration",
                type="password",
                elem_id="rc-token",
                visible=not self.access.open_admin,
            )
            with gr.Row():
                with gr.Column():
                    upload = gr.File(
                        label="Ajouter des fichiers",
                        file_count="multiple",
                        file_types=sorted(READERS),
                        type="filepath",
                        elem_id="rc-upload",
                        visible=self.access.may_upload,
                    )
                    add = gr.Button(
                        "Ajouter au corpus", elem_id="rc-add", visible=self.access.may_upload
                    )
                with gr.Column():
                    chosen = gr.Dropdown([], multiselect=True, label="Articles à retirer")
                    drop = gr.Button("Retirer du corpus", variant="stop", elem_id="rc-drop")
            done = gr.HTML("", elem_id="rc-done", js_on_load=None)
            shown = [listing, chosen]
            add.click(self.upload, [upload, token], [done, upload], api_visibility="private").then(
                self.list_articles, None, shown, api_visibility="private"
            )
            drop.click(self.remove, [chosen, token], [done], api_visibility="private").then(
                self.list_articles, None, shown, api_visibility="private"
            )
            tab.select(self.list_articles, None, shown, api_visibility="private")
            page.load(self.list_articles, None, shown, api_visibility="private")
        else:
            tab.select(lambda: self.list_articles()[0], None, [listing], api_visibility="private")
            page.load(lambda: self.list_articles()[0], None, [listing], api_visibility="private")

    def ask(
        self,
        question: str,
        turns: list[Answer],
        sources: list[str] | None,
        since: str | None,
        until: str | None,
        request: gr.Request,
    ) -> Iterator[tuple[str, list[Answer], str]]:
        """Answer a question: yield the conversation as it grows, its turns, the emptied field."""
        past = "".join(answer_html(a, i) for i, a in enumerate(turns))
        yield past + draft_html(question, ""), turns, ""
        try:
            self.rates.take(client_of(request))
            filters = _filters(sources, since, until)
            history = [Turn(a.asked or a.question, a.text) for a in turns[-3:]]
            said: list[Statement] = []
            for event in self.assistant.stream(question, history, filters):
                if isinstance(event, Answer):
                    turns = [*turns, event][-_KEPT_TURNS:]
                    whole = "".join(answer_html(a, i) for i, a in enumerate(turns))
                    yield whole, turns, ""
                    return
                tail = event.text if isinstance(event, Draft) else ""
                if isinstance(event, Statement):
                    said.append(event)
                yield past + draft_html(question, f"{render(said)} {tail}".strip()), turns, ""
        except RecoupeError as error:
            log.info("%s", error, exc_info=True)
            yield past + error_html(question, str(error)), turns, question
        except Exception:
            log.exception("question")
            yield past + error_html(question, texts.UNEXPECTED), turns, question

    def open_citation(self, turns: list[Answer], event: gr.EventData) -> str:
        """Return the panel for the mark or passage that was clicked."""
        data = event._data or {}
        try:
            citation = _clicked(turns, data)
            article = self.assistant.article(citation.article_id)
            return article_html(article, citation, whole=self.assistant.settings.public_text)
        except RecoupeError as error:
            return f'<p class="rc-error" role="alert">{esc(str(error))}</p>'
        except (IndexError, KeyError, TypeError, ValueError):
            return _no_article()

    def example(self, event: gr.EventData) -> str:
        """Return the text of the example that was clicked."""
        return str((event._data or {}).get("question", ""))[:1000]

    def on_load(self) -> tuple[Any, str]:
        """Return the sources to filter by and the example questions."""
        names = sorted({r.source.name for r in self.assistant.records() if r.source.name})
        buttons = "".join(
            f'<button type="button" class="rc-example">{esc(q)}</button>' for q in self._examples()
        )
        return gr.Dropdown(choices=names), buttons

    def list_articles(self) -> tuple[str, Any]:
        """Return the corpus as HTML and the choices for removal."""
        records = self.assistant.records()
        choices = [(f"{r.source.title} ({r.source.name or r.id})", r.id) for r in records]
        return corpus_html(records), gr.Dropdown(choices=choices, value=[])

    def upload(
        self,
        paths: Sequence[str] | None,
        token: str = "",
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> tuple[str, None]:
        """Ingest uploaded files; return what was done."""
        if not self.access.is_admin(token or ""):
            return _refused(), None
        if not paths:
            return f'<p role="status">{esc(texts.NO_FILE)}</p>', None
        settings = self.assistant.settings
        reading = read_uploads(map(Path, paths), settings.max_file_mb, Bounds.of(settings))
        try:
            report = self.assistant.ingest(
                reading,
                progress=lambda done, total: progress((done, max(total, 1)), desc="Indexation"),
            )
        except RecoupeError as error:
            return f'<p class="rc-error" role="alert">{esc(str(error))}</p>', None
        lines = [f"<li>{esc(f.name)}\u00a0: {esc(f.reason)}</li>" for f in report.failed]
        summary = texts.summary(report)
        return f'<p role="status">{esc(summary)}</p><ul>{"".join(lines)}</ul>', None

    def remove(self, ids: Sequence[str] | None, token: str = "") -> str:
        """Remove the chosen articles; say how many."""
        if not self.access.is_admin(token or ""):
            return _refused()
        gone = self.assistant.remove(ids or [])
        return f'<p role="status">{esc(texts.removed(len(gone)))}</p>'

    def _examples(self) -> list[str]:
        """Return questions about articles that are there, newest first, one a section."""
        seen: dict[str, str] = {}
        for record in self.assistant.records():
            key = record.source.section or record.source.name
            if key not in seen and len(seen) < 4:
                seen[key] = texts.EXAMPLE.format(shorten(record.source.title, 90))
        return list(seen.values())


def _clicked(turns: Sequence[Answer], data: dict[str, Any]) -> Citation:
    """Return the citation that a click names: a mark's number, or a nearest passage."""
    answer = turns[int(data["turn"])]
    if "number" in data:
        wanted = int(data["number"])
        numbers = number_citations(answer.statements)
        return next(iter(c for c, n in numbers.items() if n == wanted))
    hit = answer.hits[int(data["hit"])]
    p = hit.passage
    text = p.text.rstrip()
    return Citation(p.article_id, hit.source, p.start, p.start + len(text), text)


def _filters(sources: list[str] | None, since: str | None, until: str | None) -> Filters:
    return Filters(
        sources=tuple(sources or ()), since=_day(since, "Depuis le"), until=_day(until, "Jusqu’au")
    )


def _day(text: str | None, field: str) -> date | None:
    if not text or not text.strip():
        return None
    if (day := parse_date(text)) is None:
        raise RecoupeError(texts.BAD_DATE.format(field))
    return day


def _refused() -> str:
    return f'<p class="rc-error" role="alert">{esc(texts.NEEDS_ADMIN_HERE)}</p>'


def _welcome() -> str:
    return f'<p class="rc-welcome">{esc(texts.WELCOME)}</p>'


def _no_article(hint: str = texts.NO_ARTICLE) -> str:
    return f'<p class="rc-placeholder">{esc(hint)}</p>'


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _theme() -> gr.Theme:
    """Return a calm theme with the visitor's own fonts: nothing is fetched."""
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
    theme: gr.Theme = gr.themes.Base(
        primary_hue="indigo",
        neutral_hue="slate",
        font=fonts,
        font_mono=["ui-monospace", "monospace"],
    )
    # WCAG 2.2 AA: 4.5 to 1 for text, which Gradio's own shades miss.
    return theme.set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        input_placeholder_color="*neutral_600",
        input_placeholder_color_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
    )
