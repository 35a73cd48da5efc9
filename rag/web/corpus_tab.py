"""The « Corpus » tab: its articles, found and read, and what administrators do to them."""

from __future__ import annotations

import logging
import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import texts
from rag.assistant import LocalAssistant
from rag.domain import ArticleOrder, ArticleQuery, Citation, Filters, FoundArticle
from rag.errors import ArticleNotFoundError, RecoupeError
from rag.french.sentences import sentence_spans
from rag.indexing.article_index import LONGEST_WORDS
from rag.models.embedding import encodable
from rag.readers import READERS, Bounds, read_uploads
from rag.web.access import Access
from rag.web.corpus_html import articles_html, overview_html, sources_html, year_or_month
from rag.web.gradio_quickly import gr
from rag.web.limits import RETENTION
from rag.web.opened_article import opened_article
from rag.web.render import ingested_html, message_html

if TYPE_CHECKING:
    from gradio.events import Dependency

log = logging.getLogger(__name__)

_PAGE_SIZE = 20  # articles
_LONGEST_VALUE = 300  # characters of a name of a facet
_MOST_CHOSEN = 20  # names of a facet that a list is narrowed to
_NO_ARTICLE = message_html("placeholder", texts.NO_ARTICLE)
_REFUSED_MESSAGE = message_html("error", texts.NEEDS_ADMIN_HERE)


# The boxes that are ticked, as they are at the click.
_TICKED = (
    "(chosen, ...others) => [[...document.querySelectorAll('#rc-listing .rc-choose:checked')]"
    ".map((box) => box.value).join(' '), ...others]"
)


@dataclass(frozen=True, slots=True)
class Listing:
    """The list that a page shows: what it was asked for, and the excerpts of its articles.

    `trail` are the places where its pages begin, up to the one that is shown, `next` where the
    following one does.
    """

    query: ArticleQuery = field(default_factory=ArticleQuery)
    trail: tuple[str, ...] = ("",)
    next: str = ""
    excerpts: Mapping[str, FoundArticle] = field(default_factory=dict)


class CorpusTab:
    """The tab and its handlers; each page's list lives in its own session state."""

    def __init__(
        self,
        assistant: LocalAssistant,
        access: Access,
        is_upload: Callable[[str], bool],
        scripts: Mapping[str, str],
    ) -> None:
        """Take the assistant, who may edit, what tells an upload's path, and the page's scripts."""
        self._assistant = assistant
        self._access = access
        self._is_upload = is_upload
        self._scripts = scripts

    def build(self, tab: gr.Tab) -> None:
        """Add the content of the tab."""
        private: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        listing = gr.State(Listing(), time_to_live=RETENTION)
        overview = gr.HTML("", elem_id="rc-overview", js_on_load=None)
        with gr.Row(elem_classes="rc-columns"):
            with gr.Column(scale=3, min_width=300, elem_id="rc-browsing"):
                with gr.Row(elem_classes="rc-ask"):
                    words = gr.Textbox(
                        label="Chercher dans les textes et les titres", max_length=LONGEST_WORDS,
                        placeholder="Tous ces mots, ou « une suite de mots »",
                        scale=5, elem_id="rc-corpus-words",
                    )  # fmt: skip
                    search = gr.Button(
                        "Chercher", variant="primary", scale=1, min_width=110, elem_id="rc-search"
                    )
                articles = gr.HTML("", elem_id="rc-listing", js_on_load=self._scripts["corpus.js"])
            with gr.Column(scale=2, min_width=300, elem_id="rc-reading"):
                panel = gr.HTML(
                    _NO_ARTICLE, elem_id="rc-opened", js_on_load=self._scripts["panel.js"]
                )
        changes = self._editing()
        listed = [articles, listing]
        gr.on([search.click, words.submit], self.search, [words, listing], listed,
              trigger_mode="always_last", **private)  # fmt: skip
        gr.on([articles.select, panel.select], self.act, [listing], [*listed, words, panel],
              **private)  # fmt: skip
        tab.select(self.list_again, [listing], listed, **private)
        tab.select(self.count_articles, None, [overview], **private)
        for change in changes:
            change.then(self.list_again, [listing], listed, **private)
            change.then(self.count_articles, None, [overview], **private)

    def _editing(self) -> list[Dependency]:
        """Build what administrators see; return the changes that they make."""
        if not self._access.has_admin:
            return []
        with gr.Accordion(texts.NEWSROOM_TOOLS, open=False, elem_id="rc-tools"):
            gr.HTML(message_html("status", texts.TO_CHOOSE), js_on_load=None)
            chosen = gr.Textbox(visible=False)
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
                    drop = gr.Button(
                        "Retirer les articles choisis", variant="stop", elem_id="rc-drop"
                    )
                with gr.Column():
                    day = gr.Textbox(
                        label="Date des articles choisis", placeholder="31/12/2024", max_length=40,
                        elem_id="rc-day",
                    )  # fmt: skip
                    correct = gr.Button("Corriger la date", elem_id="rc-correct")
            done = gr.HTML("", elem_id="rc-done", js_on_load=None)
        added = add.click(self.upload, [upload, token], [done, upload], api_visibility="private")
        gone = drop.click(
            self.remove, [chosen, token], [done], js=_TICKED, api_visibility="private"
        )
        dated = correct.click(
            self.edit, [chosen, day, token], [done], js=_TICKED, api_visibility="private"
        )
        return [added, gone, dated]

    def count_articles(self) -> str:
        """Return what the corpus is made of."""
        whole = self._assistant.browse(ArticleQuery(), limit=1)
        return overview_html(whole.facets) + sources_html(
            self._assistant.followed(), self._assistant.settings.source_silence_hours
        )

    def search(self, words: str, listing: Listing) -> tuple[str, Listing]:
        """Return the first page of what holds some words, as HTML, and the list."""
        words = encodable((words or "")[:LONGEST_WORDS]).strip()
        return self._listed(replace(listing.query, words=words, order=None), ("",))

    def list_again(self, listing: Listing) -> tuple[str, Listing]:
        """Return the page that is shown, as the corpus has it now, and the list."""
        return self._listed(listing.query, listing.trail)

    def act(self, listing: Listing, event: gr.EventData) -> tuple[Any, Any, Any, Any]:
        """Do what a button of the list, or of the article, says.

        Returns the articles as HTML, the list, the words looked for, and the article's HTML.
        """
        data = event._data or {}
        act, value = str(data.get("act", "")), str(data.get("value", ""))[:_LONGEST_VALUE]
        if act == "open":
            return gr.skip(), gr.skip(), gr.skip(), self._opened(value, listing)
        try:
            if act == "clear":
                query = replace(listing.query, filters=Filters())
                return *self._listed(query, ("",)), gr.skip(), gr.skip()
            if act == "order":
                query = replace(listing.query, order=ArticleOrder(value))
                return *self._listed(query, ("",)), gr.skip(), gr.skip()
            if act == "filter":
                filters = _toggled(listing.query.filters, str(data.get("field", "")), value)
                query = replace(listing.query, filters=filters)
                return *self._listed(query, ("",)), gr.skip(), gr.skip()
            if act == "page":
                forth = (*listing.trail, listing.next) if listing.next else listing.trail
                trail = forth if value == "after" else listing.trail[:-1] or ("",)
                return *self._listed(listing.query, trail), gr.skip(), gr.skip()
        except (ValueError, OverflowError):  # what no button says
            log.info("geste inconnu : %s", act[:20])
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()

    def _listed(self, query: ArticleQuery, trail: tuple[str, ...]) -> tuple[str, Listing]:
        """Return the page that begins at the end of a trail, as HTML, and the list then."""
        try:
            results = self._assistant.browse(query, trail[-1], _PAGE_SIZE)
        except RecoupeError as error:
            return message_html("error", str(error)), Listing(query)
        excerpts = {f.record.id: f for f in results.articles if f.excerpt}
        html = articles_html(results, query, first=len(trail) == 1, choose=self._access.has_admin)
        return html, Listing(query, trail, results.next, excerpts)

    def _opened(self, article_id: str, listing: Listing) -> str:
        """Return an article to be read, the excerpt that led to it highlighted."""
        found = listing.excerpts.get(article_id)
        try:
            sentence = self._sentence_found(found) if found else None
            return opened_article(self._assistant, article_id, sentence, for_itself=True)
        except ArticleNotFoundError:
            return message_html("error", texts.ARTICLE_GONE)
        except RecoupeError as error:
            return message_html("error", str(error))

    def _sentence_found(self, found: FoundArticle) -> Citation | None:
        """Return the sentence of an article that has the first of the words looked for.

        The excerpt itself of what readers pay for. Raises ArticleNotFoundError, StoreError.
        """
        excerpt = found.excerpt
        if excerpt is None or not found.marks or excerpt.source.paywalled:
            return excerpt
        text = self._assistant.article(found.record.id).text
        first, _ = found.marks[0]
        span = next(((a, b) for a, b in sentence_spans(text) if a <= first < b), None)
        if span is None or text[excerpt.start : excerpt.end] != excerpt.quote:
            return excerpt
        return replace(excerpt, start=span[0], end=span[1], quote=text[slice(*span)])

    def upload(
        self,
        paths: Sequence[str] | None,
        token: str = "",
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> tuple[str, None]:
        """Ingest uploaded files; return what was done."""
        if not self._access.is_admin(token or ""):
            return _REFUSED_MESSAGE, None
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

    def remove(self, ids: str, token: str = "") -> str:
        """Remove articles, whose ids come with spaces between; say how many."""
        if not self._access.is_admin(token or ""):
            return _REFUSED_MESSAGE
        gone = self._assistant.remove((ids or "").split()[:_PAGE_SIZE])
        return message_html("status", texts.removed(len(gone)))

    def edit(self, ids: str, day: str, token: str = "") -> str:
        """Correct the date of articles, as of `remove`; say which they have now."""
        if not self._access.is_admin(token or ""):
            return _REFUSED_MESSAGE
        try:
            chosen = (ids or "").split()[:_PAGE_SIZE]
            records = [self._assistant.edit(i, {"published": day or ""}) for i in chosen]
        except RecoupeError as error:
            return message_html("error", str(error))
        labels = "\u202f; ".join(texts.label(r.source) for r in records)
        return message_html("status", labels or texts.NOTHING_CHOSEN)


def _toggled(filters: Filters, facet: str, value: str) -> Filters:
    """Return filters with a value of a facet, or without it where they had it.

    Raises ValueError for what is none.
    """
    if facet == "period":
        if year_or_month(filters) == value:
            return replace(filters, since=None, until=None)
        first, last = _days(value)
        return replace(filters, since=first, until=last)
    if facet == "source":
        return replace(filters, sources=_with_or_without(filters.sources, value))
    if facet == "author":
        return replace(filters, authors=_with_or_without(filters.authors, value))
    if facet == "section":
        return replace(filters, sections=_with_or_without(filters.sections, value))
    raise ValueError(facet)


def _with_or_without(values: tuple[str, ...], value: str) -> tuple[str, ...]:
    rest = tuple(v for v in values if v != value)
    return rest if value in values else (*rest, value)[-_MOST_CHOSEN:]


def _days(period: str) -> tuple[date, date]:
    """Return the first and the last day of a year (« 2024 ») or of a month (« 2024-03 »)."""
    if not re.fullmatch(r"\d{4}(-\d{2})?", period, re.ASCII):
        raise ValueError(period)
    year, _, month = period.partition("-")
    first, last = (int(month), int(month)) if month else (1, 12)
    return date(int(year), first, 1), date(int(year), last, monthrange(int(year), last)[1])
