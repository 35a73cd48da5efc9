"""The web chat: a conversation, the cited article beside it, and the corpus."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import gradio.queueing
import gradio.utils
from fastapi.exceptions import RequestValidationError
from gradio.state_holder import SessionState, StateHolder
from starlette.concurrency import run_in_threadpool
from starlette.routing import Mount

from rag import texts
from rag.answering import about_corpus
from rag.answering.writing import Draft
from rag.assistant import LocalAssistant
from rag.citations import number_citations, render
from rag.domain import MOST_FACETS, Answer, Citation, Filters, Statement, Turn
from rag.errors import RecoupeError
from rag.french.dates import parse_date
from rag.logs import LoggedTracebacks
from rag.models.embedding import clean
from rag.searching.question import LONGEST_QUESTION
from rag.web.access import Access
from rag.web.corpus_tab import CorpusTab
from rag.web.framework import Events
from rag.web.limits import Gate, Rates, client_of, in_one_turn
from rag.web.problems import invalid
from rag.web.recording import stream
from rag.web.render import (
    answer_html,
    article_html,
    draft_html,
    error_html,
    examples_html,
    message_html,
)
from rag.web.verify_tab import VerifyTab, browser_state

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)

_FOLLOWED = 5  # turns that a follow-up may be of
_MOST_TURNS = 30
# What a click that the page does not make raises: no such turn, no such mark, no number.
_BAD_CLICK = (IndexError, KeyError, TypeError, ValueError, OverflowError, StopIteration)
_HOUR = 3600  # seconds
_RETENTION_HOURS = 12  # of a conversation whose page stays open
_MOST_SESSIONS = 1000  # pages whose conversation is remembered; the oldest goes first
_HERE = files("rag.web")
_STYLES = ("chat.css", "verify.css", "corpus.css")
_WELCOME = message_html("welcome", texts.WELCOME)
_NO_ARTICLE = message_html("placeholder", texts.NO_ARTICLE)


def mount_chat(
    app: FastAPI, assistant: LocalAssistant, access: Access, rates: Rates, gate: Gate
) -> Events:
    """Mount the chat at `/` of `app`; return what reads the events of its page.

    `access` says who may edit and log in. Raises StoreError.
    """
    uploads = (assistant.settings.index_dir / "uploads").resolve()
    shutil.rmtree(uploads, ignore_errors=True)  # of a process that was killed
    # Gradio's own cache: in a folder of ours, which a proof of erasure looks through.
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    chat = Chat(assistant, access, rates, gate, uploads)
    page = chat.build()
    gr.mount_gradio_app(
        app,
        page,
        path="",
        footer_links=[],
        ssr_mode=False,
        show_error=False,
        max_file_size="50mb",
        theme=_theme(),
        css="\n".join(_read(name) for name in _STYLES),
        head='<meta name="viewport" content="width=device-width, initial-scale=1">',
        auth=access.logs_in if access.login else None,
        auth_message=texts.LOGIN if access.login else None,
        app_kwargs={
            "docs_url": None,
            "redoc_url": None,
            "exception_handlers": {RequestValidationError: invalid},
        },
    )
    sessions = Sessions()  # type: ignore[no-untyped-call]  # Gradio's
    sessions.set_blocks(page)
    chat.events.watch(page._queue)
    mounted = next(r for r in app.routes if isinstance(r, Mount) and r.path == "")
    mounted.app.state_holder = sessions  # type: ignore[attr-defined]  # Gradio's application
    return chat.events


# Gradio prints the tracebacks of events to stderr, a visitor's text with them.
for _module in (gradio.queueing, gradio.utils):
    _module.traceback = LoggedTracebacks(log, "évènement de la page")  # type: ignore[attr-defined]


class Sessions(StateHolder):
    """Gradio's sessions, fewer and lighter: what a visitor typed is not kept with them."""

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = Session(self.blocks)
        return super().__getitem__(session_id)


class Session(SessionState):
    """A session without the copy of every value that Gradio keeps for links to it."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Keep nothing."""


class Chat:
    """The handlers of the page; each conversation's turns live in its own session state."""

    def __init__(
        self,
        assistant: LocalAssistant,
        access: Access,
        rates: Rates,
        gate: Gate,
        uploads: Path,
    ) -> None:
        """Take the assistant that answers, the rules, and the folder that uploads come into."""
        self.uploads = uploads
        self.events = Events(uploads, {}, None)
        self.assistant = assistant
        self.access = access
        self.rates = rates
        self.gate = gate

    def build(self) -> gr.Blocks:
        """Return the page; upload and removal are shown where somebody may use them."""
        page: gr.Blocks
        with gr.Blocks(
            title="Recoupe", analytics_enabled=False, fill_width=True, delete_cache=(_HOUR, _HOUR)
        ) as page:
            gr.HTML(_read("header.html"), js_on_load=None)
            turns = gr.State([], time_to_live=_RETENTION_HOURS * _HOUR)
            state = browser_state()
            with gr.Tabs():
                with gr.Tab("Questions"):
                    self._questions(page, turns)
                with gr.Tab("Vérifier"):
                    scripts = {n: _read(n) for n in ("verify.js", "export.js", "panel.js")}
                    VerifyTab(self.assistant, self.rates, self.gate, scripts).build(page, state)
                with gr.Tab("Corpus") as tab:
                    CorpusTab(
                        self.assistant, self.access, lambda path: self.events.holds(path)
                    ).build(tab)
        # The guard bounds events for each visitor, the gate what is worked on: a queue that all
        # share would be anybody's to fill.
        page.queue(default_concurrency_limit=None, max_size=None)
        # With it, Gradio checks the paths of files, which it else leaves to `launch`.
        page.has_launched = True
        page.state_session_capacity = _MOST_SESSIONS
        upload = next((at for at, fn in page.fns.items() if fn.name == "upload"), None)
        inputs = {at: len(fn.inputs) for at, fn in page.fns.items()}
        self.events = Events(self.uploads, inputs, upload if self.access.may_upload else None)
        return page

    def _is_upload(self, path: str) -> bool:
        return self.events.holds(path)  # of the page as it is now: `build` makes it last

    def _questions(self, page: gr.Blocks, turns: gr.State) -> None:
        with gr.Row(elem_classes="rc-columns"):
            with gr.Column(scale=3, min_width=320, elem_id="rc-main"):
                conversation = gr.HTML(
                    _WELCOME,
                    elem_id="rc-conversation",
                    js_on_load=_read("conversation.js"),
                    autoscroll=False,
                )
                examples = gr.HTML("", elem_id="rc-examples", js_on_load=_read("examples.js"))
                with gr.Column(elem_id="rc-composer"):
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
                        send = gr.Button(
                            "Demander", variant="primary", scale=1, elem_id="rc-send", min_width=110
                        )
                    with gr.Row(elem_classes="rc-tools"):
                        with gr.Accordion("Filtrer", open=False):
                            sources = gr.Dropdown([], multiselect=True, label="Sources")
                            with gr.Row():
                                since = gr.Textbox(label="Depuis le", placeholder="01/01/2024")
                                until = gr.Textbox(label="Jusqu’au", placeholder="31/12/2024")
                        clear = gr.Button(
                            "Nouvelle conversation", size="sm", variant="secondary", min_width=160
                        )
                    gr.HTML(message_html("status", texts.AUTOMATIC), js_on_load=None)
            with gr.Column(scale=2, min_width=320, elem_id="rc-side"):
                panel = gr.HTML(_NO_ARTICLE, elem_id="rc-panel", js_on_load=_read("panel.js"))

        asking: dict[str, Any] = {
            "fn": self.ask,
            "inputs": [question, turns, sources, since, until],
            "outputs": [conversation, turns, question],
            "show_progress": "hidden",
            "api_visibility": "private",
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
            lambda: (_WELCOME, [], _NO_ARTICLE),
            None,
            [conversation, turns, panel],
            api_visibility="private",
        )
        page.load(
            self.on_load, None, [sources, examples], show_progress="hidden",
            api_visibility="private",
        )  # fmt: skip

    async def ask(
        self,
        question: str,
        turns: list[Answer],
        sources: list[str] | None,
        since: str | None,
        until: str | None,
        request: gr.Request,
    ) -> AsyncIterator[tuple[str, list[Answer], str]]:
        """Answer a question: yield the conversation as it grows, its turns, the emptied field."""
        question = clean((question or "")[: LONGEST_QUESTION + 1])
        turns = await run_in_threadpool(self._standing, turns)
        past = "".join(answer_html(a, i) for i, a in enumerate(turns))
        yield past + draft_html(question, ""), turns, ""
        try:
            visitor = client_of(request)
            self.rates.take(visitor)
            filters = _filters(sources, since, until)
            history = [Turn(a.question, a.text) for a in turns[-_FOLLOWED:]]
            statements: list[Statement] = []
            work = stream(self.assistant, question, history, filters)
            async with aclosing(in_one_turn(self.gate, visitor, work)) as steps:
                async for event in steps:
                    if isinstance(event, Answer):
                        turns = [*turns, replace(event, hits=())][-_MOST_TURNS:]
                        whole = "".join(answer_html(a, i) for i, a in enumerate(turns))
                        yield whole, turns, ""
                        return
                    tail = event.text if isinstance(event, Draft) else ""
                    if isinstance(event, Statement):
                        statements.append(event)
                    draft = f"{render(statements)} {tail}".strip()
                    yield past + draft_html(question, draft), turns, ""
        except RecoupeError as error:
            log.info("%s", error, exc_info=True)
            yield past + error_html(question, str(error)), turns, question
        except Exception:
            log.exception("question")
            yield past + error_html(question, texts.UNEXPECTED), turns, question

    def _standing(self, turns: Sequence[Answer]) -> list[Answer]:
        """Return past answers without those that quote an article which may be quoted no more."""
        cited = {i for answer in turns for i in _cited(answer)}
        answering = self.assistant.answerable(list(cited)) if cited else {}
        return [
            a if all(answering.get(i) for i in _cited(a)) else _taken_back(a.question)
            for a in turns
        ]

    def open_citation(self, turns: list[Answer], event: gr.EventData) -> str:
        """Return the panel for the mark or passage that was clicked."""
        data = event._data or {}
        try:
            citation = _clicked(self._standing(turns), data)
            article = self.assistant.article(citation.article_id)
            whole = self.assistant.settings.public_text
            past = self.assistant.history(article.record.id)
            others = self.assistant.copies(article.record.id)
            return article_html(article, citation, whole=whole, history=past, copies=others)
        except RecoupeError as error:
            return message_html("error", str(error))
        except _BAD_CLICK:
            return _NO_ARTICLE

    def example(self, event: gr.EventData) -> str:
        """Return the text of the example that was clicked."""
        return str((event._data or {}).get("question", ""))[:1000]

    def on_load(self) -> tuple[Any, str]:
        """Return the sources to filter by and the example questions."""
        facets = self.assistant.facets()
        names = [name for name, _ in facets.sources]
        # Not all of many sources are listed: the name of another can be written.
        dropdown = gr.Dropdown(choices=sorted(names), allow_custom_value=len(names) == MOST_FACETS)
        about = about_corpus.described(facets) if facets.articles else ""
        return dropdown, examples_html(self.assistant.examples(), about)


def _cited(answer: Answer) -> set[str]:
    """Return the ids of the articles that an answer or a refusal quotes."""
    quoted = [c for s in answer.statements for c in s.citations]
    return {c.article_id for c in (*quoted, *(near.citation for near in answer.nearest))}


def _taken_back(question: str) -> Answer:
    return Answer(question, (), (), refused=True, mode="", text=texts.ANSWER_GONE)


def _clicked(turns: Sequence[Answer], data: dict[str, Any]) -> Citation:
    """Return the citation that a click names: a mark's number, or a nearest sentence."""
    answer = turns[int(data["turn"])]
    if "number" in data:
        wanted = int(data["number"])
        numbers = number_citations(answer.statements)
        return next(iter(c for c, n in numbers.items() if n == wanted))
    return answer.nearest[int(data["near"])].citation


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
