"""The web chat: a conversation, the cited article beside it, and the corpus."""

from __future__ import annotations

import logging
import os
import shutil
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.routing import Mount

from rag import texts
from rag.assistant import LocalAssistant
from rag.logs import LoggedTracebacks
from rag.web.access import Access
from rag.web.corpus_tab import CorpusTab
from rag.web.framework import Events
from rag.web.gradio_quickly import gr, queueing, state_holder, utils
from rag.web.limits import RETENTION, Gate, Rates
from rag.web.problems import invalid
from rag.web.questions_tab import QuestionsTab
from rag.web.verify_tab import VerifyTab, browser_state

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)

_HOUR = 3600  # seconds
_MOST_SESSIONS = 1000  # pages whose conversation is remembered; the oldest goes first
_HERE = files("rag.web")
_META = (
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    f'<meta name="description" content="{texts.DESCRIPTION}">'
)
_STYLES = ("chat.css", "verify.css", "corpus.css")


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
        head=f"{_META}<script>{_read('storage.js')}</script>",
        auth=access.logs_in if access.login else None,
        auth_message=texts.LOGIN if access.login else None,
        app_kwargs={
            "docs_url": None,
            "redoc_url": None,
            "exception_handlers": {RequestValidationError: invalid},
        },
    )
    # A page would hold a connection open, to tell when it closes: of the six that a browser
    # opens to a host by HTTP/1.1 none would be left for a seventh tab. A conversation is
    # forgotten by the hour instead.
    page.config["connect_heartbeat"] = False
    sessions = Sessions()  # type: ignore[no-untyped-call]  # Gradio's
    sessions.set_blocks(page)
    chat.events.watch(page._queue)
    mounted = next(r for r in app.routes if isinstance(r, Mount) and r.path == "")
    mounted.app.state_holder = sessions  # type: ignore[attr-defined]  # Gradio's application
    return chat.events


# Gradio prints the tracebacks of events to stderr, a visitor's text with them.
for _module in (queueing, utils):
    _module.traceback = LoggedTracebacks(log, "évènement de la page")  # type: ignore[attr-defined]


class Sessions(state_holder.StateHolder):
    """Gradio's sessions, fewer and lighter: what a visitor typed is not kept with them."""

    def __getitem__(self, session_id: str) -> state_holder.SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = Session(self.blocks)
        return super().__getitem__(session_id)


class Session(state_holder.SessionState):
    """A session without the copy of every value that Gradio keeps for links to it."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Keep nothing."""


class Chat:
    """The page: its tabs, and what reads its events."""

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
        self.questions = QuestionsTab(assistant, rates, gate, _read)

    def build(self) -> gr.Blocks:
        """Return the page; upload and removal are shown where somebody may use them."""
        page: gr.Blocks
        with gr.Blocks(
            title="Recoupe", analytics_enabled=False, fill_width=True, delete_cache=(_HOUR, _HOUR)
        ) as page:
            gr.HTML(_read("header.html"), js_on_load=None)
            turns = gr.State([], time_to_live=RETENTION)
            state = browser_state()
            with gr.Tabs(overflow_behavior="wrap"):  # its menu would be English
                with gr.Tab("Questions"):
                    self.questions.build(page, turns)
                with gr.Tab("Vérifier"):
                    names = ("verify.js", "text.js", "export.js", "panel.js")
                    scripts = {name: _read(name) for name in names}
                    VerifyTab(self.assistant, self.rates, self.gate, scripts).build(page, state)
                with gr.Tab("Corpus") as tab:
                    scripts = {n: _read(n) for n in ("corpus.js", "panel.js")}
                    CorpusTab(self.assistant, self.access, self._is_upload, scripts).build(tab)
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
