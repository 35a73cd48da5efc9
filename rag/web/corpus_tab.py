"""The « Corpus » tab: what the corpus holds, its articles, and what administrators do to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag import texts
from rag.assistant import LocalAssistant
from rag.errors import RecoupeError
from rag.readers import READERS, Bounds, read_uploads
from rag.web.access import Access
from rag.web.render import (
    articles_html,
    ingested_html,
    message_html,
    overview_html,
    sources_html,
)

if TYPE_CHECKING:
    from gradio.events import Dependency

_REFUSED = message_html("error", texts.NEEDS_ADMIN_HERE)


class CorpusTab:
    """The tab and its handlers."""

    def __init__(
        self, assistant: LocalAssistant, access: Access, is_upload: Callable[[str], bool]
    ) -> None:
        """Take the assistant, who may edit, and what tells a path that the guard has let in."""
        self._assistant = assistant
        self._access = access
        self._is_upload = is_upload

    def build(self, tab: gr.Tab) -> None:
        """Add the content of the tab."""
        private: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        overview = gr.HTML("", elem_id="rc-overview", js_on_load=None)
        words = gr.Textbox(
            label="Chercher un article par son titre", max_length=300, elem_id="rc-title-words"
        )
        listing = gr.HTML("", elem_id="rc-listing", js_on_load=None)
        trail = gr.State([])
        with gr.Row():
            newer = gr.Button("Articles plus récents", size="sm", elem_id="rc-newer")
            older = gr.Button("Articles plus anciens", size="sm", elem_id="rc-older")
        chosen, changes = self._editing()
        shown = [listing, trail, newer, older, chosen]
        gr.on([tab.select, words.input], self.list_articles, [words], shown,
              trigger_mode="always_last", **private)  # fmt: skip
        older.click(self.list_older, [words, trail], shown, **private)
        newer.click(self.list_newer, [words, trail], shown, **private)
        tab.select(self.count_articles, None, [overview], **private)
        for change in changes:
            change.then(self.list_articles, [words], shown, **private)
            change.then(self.count_articles, None, [overview], **private)

    def _editing(self) -> tuple[gr.Dropdown, list[Dependency]]:
        """Build what administrators see; return the articles to remove, and the changes made."""
        if not self._access.has_admin:
            return gr.Dropdown(visible=False), []
        token = gr.Textbox(
            label="Jeton d’administration",
            type="password",
            elem_id="rc-token",
            visible=not self._access.open_admin,
        )
        with gr.Row():
            with gr.Column():
                upload = gr.File(
                    label="Ajouter des fichiers",
                    file_count="multiple",
                    file_types=sorted(READERS),
                    type="filepath",
                    elem_id="rc-upload",
                    visible=self._access.may_upload,
                )
                add = gr.Button(
                    "Ajouter au corpus", elem_id="rc-add", visible=self._access.may_upload
                )
            with gr.Column():
                chosen = gr.Dropdown(
                    [], multiselect=True, label="Articles choisis", info=texts.AMONG_LISTED
                )
                drop = gr.Button("Retirer du corpus", variant="stop", elem_id="rc-drop")
            with gr.Column():
                day = gr.Textbox(
                    label="Date des articles choisis", placeholder="31/12/2024", max_length=40,
                    elem_id="rc-day",
                )  # fmt: skip
                correct = gr.Button("Corriger la date", elem_id="rc-correct")
        done = gr.HTML("", elem_id="rc-done", js_on_load=None)
        added = add.click(self.upload, [upload, token], [done, upload], api_visibility="private")
        gone = drop.click(self.remove, [chosen, token], [done], api_visibility="private")
        dated = correct.click(self.edit, [chosen, day, token], [done], api_visibility="private")
        return chosen, [added, gone, dated]

    def count_articles(self) -> str:
        """Return what the corpus is made of."""
        return overview_html(self._assistant.facets()) + sources_html(
            self._assistant.followed(), self._assistant.settings.source_silence_hours
        )

    def list_articles(self, words: str) -> tuple[Any, ...]:
        """Return the first page of the articles whose titles hold `words`; see `_listed`."""
        return self._listed(words, [""])

    def list_older(self, words: str, trail: list[str]) -> tuple[Any, ...]:
        """Return the page after the one that is shown; see `_listed`."""
        return self._listed(words, trail)

    def list_newer(self, words: str, trail: list[str]) -> tuple[Any, ...]:
        """Return the page before the one that is shown; see `_listed`."""
        return self._listed(words, trail[:-2])

    def _listed(self, words: str, trail: list[str]) -> tuple[Any, ...]:
        """Return the page that begins at the end of a trail, and what goes with it.

        That is the trail with where the following page begins, the buttons
        that turn pages, and the choices for removal.
        """
        page = self._assistant.page(trail[-1] if trail else "", words=words or "")
        choices = [(f"{r.source.title} ({r.source.name or r.id})", r.id) for r in page.records]
        return (
            articles_html(page),
            [*trail, page.next],
            gr.Button(interactive=len(trail) > 1),
            gr.Button(interactive=bool(page.next)),
            gr.Dropdown(choices=choices, value=[]),
        )

    def upload(
        self,
        paths: Sequence[str] | None,
        token: str = "",
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> tuple[str, None]:
        """Ingest uploaded files; return what was done."""
        if not self._access.is_admin(token or ""):
            return _REFUSED, None
        if not paths:
            return message_html("status", texts.NO_FILE), None
        settings = self._assistant.settings
        # The guard has looked at them too: a path is the name of any file.
        files = [Path(path) for path in paths if self._is_upload(path)]
        reading = read_uploads(files, settings.max_file_mb, Bounds.of(settings))
        try:
            report = self._assistant.ingest(
                reading,
                progress=lambda done, total: progress((done, max(total, 1)), desc="Indexation"),
            )
        except RecoupeError as error:
            return message_html("error", str(error)), None
        finally:
            for file in files:
                file.unlink(missing_ok=True)
        return ingested_html(report), None

    def remove(self, ids: Sequence[str] | None, token: str = "") -> str:
        """Remove the chosen articles; say how many."""
        if not self._access.is_admin(token or ""):
            return _REFUSED
        gone = self._assistant.remove(ids or [])
        return message_html("status", texts.removed(len(gone)))

    def edit(self, ids: Sequence[str] | None, day: str, token: str = "") -> str:
        """Correct the date of the chosen articles; say which they have now."""
        if not self._access.is_admin(token or ""):
            return _REFUSED
        try:
            records = [self._assistant.edit(i, {"published": day or ""}) for i in ids or []]
        except RecoupeError as error:
            return message_html("error", str(error))
        labels = "\u202f; ".join(texts.label(r.source) for r in records)
        return message_html("status", labels or texts.NOTHING_CHOSEN)
