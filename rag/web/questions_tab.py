"""The « Questions » tab: a conversation, its filters, the cited article beside it, past ones."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from time import monotonic_ns
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool

from rag import texts
from rag.answering import about_corpus
from rag.answering.answerer import ProgressNotice
from rag.answering.followup import carried_over, topic_terms
from rag.answering.writing import PartialText
from rag.assistant import LocalAssistant
from rag.citations import render
from rag.domain import Answer, Filters, Statement, Turn
from rag.errors import ArticleNotFoundError, RecoupeError
from rag.french.words import excerpt
from rag.models.embedding import encodable
from rag.searching.question import LONGEST_QUESTION
from rag.web.conversation import (
    BAD_CLICK,
    MOST_TURNS,
    ChatTurn,
    TurnSeal,
    outdated,
    without_withdrawn,
)
from rag.web.filter_bar import Choice, FilterBar
from rag.web.gradio_quickly import gr
from rag.web.limits import Gate, Rates, client_of, in_one_turn
from rag.web.links import linked
from rag.web.markdown import answer_markdown
from rag.web.opened_article import opened_article
from rag.web.recording import stream
from rag.web.render import (
    answer_html,
    conversation_html,
    draft_html,
    error_html,
    examples_html,
    export_html,
    history_html,
    message_html,
)
from rag.web.stopping import Stops

log = logging.getLogger(__name__)

_FOLLOWED_TURNS = 5  # turns that a follow-up may be of
_MOST_CHECKED = 1000  # articles that a device asks after at once
_MOST_SOUGHT = 6  # terms of a question that are named
_WORDS = re.compile(r"[\w’' -]+")
_SHOWN_LENGTH = 200  # characters of a question that is too long
_DIGEST_LENGTH = 12  # characters of the digest of a corpus that a link carries
_WELCOME = message_html("welcome", texts.WELCOME)
_NO_ARTICLE = message_html("placeholder", texts.NO_ARTICLE)


class FollowedLink(NamedTuple):
    """A link to an answer: the state of the corpus that it was of, whether its article is gone."""

    corpus: str
    article_gone: bool = False

    def notice(self, corpus: str) -> str:
        """Return what a reader is told of it while the corpus is in another state, or this one."""
        if self.article_gone:
            return texts.ARTICLE_OF_LINK_GONE
        return texts.CORPUS_CHANGED if self.corpus and self.corpus != corpus else ""


class QuestionsTab:
    """The tab and its handlers; each conversation's turns live in its own session state."""

    def __init__(
        self,
        assistant: LocalAssistant,
        rates: Rates,
        gate: Gate,
        script: Callable[[str], str],
    ) -> None:
        """Take the assistant that answers, the rules, and what reads a script by its file's name.

        Raises StoreError where the key of what a device keeps can be neither read nor written.
        """
        self._assistant = assistant
        self._rates = rates
        self._gate = gate
        self._script = script
        self._seal = TurnSeal(assistant.settings.index_dir)
        self._stops = Stops()
        self._bar = FilterBar(self._title_of, assistant.facets)

    def build(self, page: gr.Blocks, turns: gr.State) -> None:
        """Add the content of the tab."""
        script = self._script
        with gr.Row(elem_classes="rc-columns"):
            with gr.Column(scale=3, min_width=320, elem_id="rc-main"):
                retention = (
                    texts.KEPT_MASKED
                    if self._assistant.settings.keep_questions
                    else texts.KEPT_HERE
                )
                past = gr.HTML(
                    history_html("none", retention=retention),
                    elem_id="rc-history",
                    js_on_load=script("history.js"),
                )
                conversation = gr.HTML(
                    _WELCOME,
                    elem_id="rc-conversation",
                    js_on_load=script("conversation.js"),
                    autoscroll=False,
                )
                examples = gr.HTML("", elem_id="rc-examples", js_on_load=script("examples.js"))
                with gr.Column(elem_id="rc-composer"):
                    self._bar.build_chips(script("filters.js"))
                    with gr.Row(elem_classes="rc-ask"):
                        question = gr.Textbox(
                            label="Votre question",
                            placeholder="Votre question…",
                            lines=1,
                            max_lines=4,
                            scale=5,
                            elem_id="rc-question",
                            autofocus=True,
                        )
                        send = gr.Button(
                            "Demander", variant="primary", scale=1, elem_id="rc-send", min_width=110
                        )
                        stop = gr.Button(
                            "Arrêter",
                            scale=1,
                            elem_id="rc-stop-answer",
                            min_width=90,
                            visible=False,
                        )
                    with gr.Row(elem_classes="rc-tools"):
                        self._bar.build_controls()
                        clear = gr.Button(
                            "Nouvelle conversation", size="sm", variant="secondary",
                            min_width=160, elem_id="rc-clear",
                        )  # fmt: skip
                    gr.HTML(message_html("status", texts.AUTOMATIC), js_on_load=None)
                export = gr.HTML(
                    "", elem_id="rc-past-export", js_on_load=script("export.js"), visible="hidden"
                )
            with gr.Column(scale=2, min_width=320, elem_id="rc-side"):
                panel = gr.HTML(_NO_ARTICLE, elem_id="rc-panel", js_on_load=script("panel.js"))

        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        link = gr.State(None)  # that is being followed
        asking: dict[str, Any] = {
            "fn": self.ask,
            "inputs": [question, turns, link, *self._bar.controls],
            "outputs": [conversation, turns, question, link, past, stop],
            "trigger_mode": "multiple",
            **quiet,
        }
        gr.on([send.click, question.submit], **asking)
        stop.click(self.stop, None, [stop], **quiet)
        # The page's own marks and examples come back as events with their data.
        conversation.select(self.open_citation, [turns], [panel], **quiet)
        examples.select(
            self.take, None, [question, link, *self._bar.controls, self._bar.chips], **quiet
        ).then(**asking)
        past.select(self.recall, None, [conversation, turns, past, export], **quiet)
        clear.click(
            lambda: (_WELCOME, [], _NO_ARTICLE, *self._bar.put(Choice())),
            None,
            [conversation, turns, panel, *self._bar.controls, self._bar.chips],
            api_visibility="private",
        )
        page.load(self.on_load, None, [*self._bar.named, examples], **quiet)

    async def ask(
        self,
        question: str,
        turns: list[ChatTurn],
        link: FollowedLink | None,
        sources: list[str] | None,
        sections: list[str] | None,
        authors: list[str] | None,
        since: str | None,
        until: str | None,
        article: str,
        request: gr.Request,
    ) -> AsyncIterator[tuple[Any, ...]]:
        """Answer a question: yield the conversation as it grows.

        That is its HTML, its turns, the emptied field, the state of a link, what the device
        keeps, and whether the answer can be stopped.
        """
        asked, question = question or "", encodable((question or "")[: LONGEST_QUESTION + 1])
        turns = await run_in_threadpool(self._standing, turns)
        past = conversation_html(turns)
        may_stop, over = gr.Button(visible=True), gr.Button(visible=False)

        def shown(turn: str, *, field: str = "", ended: bool = False) -> tuple[Any, ...]:
            return past + turn, turns, field, None, gr.skip(), over if ended else may_stop

        if len(asked.strip()) > LONGEST_QUESTION:  # what was pasted stays in the field, whole
            message = texts.LONG_ASKED.format(LONGEST_QUESTION)
            yield shown(
                error_html(excerpt(question, _SHOWN_LENGTH), message), field=asked, ended=True
            )
            return
        try:
            with self._stops.of(request) as asked_to_stop:
                choice = Choice.of(sources, sections, authors, since, until, article)
                yield shown(draft_html(question, await run_in_threadpool(self._searching)))
                filters = choice.filters()
                visitor = client_of(request)
                self._rates.take(visitor)
                # Of one article alone, a question follows those that were asked of it.
                before = [
                    t for t in turns[-_FOLLOWED_TURNS:] if t.filters.articles == filters.articles
                ]
                history = [Turn(t.answer.question, t.answer.text) for t in before]
                statements: list[Statement] = []
                work = stream(self._assistant, question, history, filters)
                async with aclosing(in_one_turn(self._gate, visitor, work)) as steps:
                    async for event in steps:
                        if isinstance(event, Answer):
                            turn = await run_in_threadpool(self._turn, event, choice, link)
                            longer = [*turns, turn][-MOST_TURNS:]
                            whole = (
                                past + answer_html(turn, len(turns))
                                if len(longer) > len(turns)
                                else conversation_html(longer)
                            )
                            yield whole, longer, "", None, self._remembered(turn), over
                            return
                        if asked_to_stop.is_set():
                            break
                        tail = event.text if isinstance(event, PartialText | ProgressNotice) else ""
                        if isinstance(event, Statement):
                            statements.append(event)
                        yield shown(draft_html(question, f"{render(statements)} {tail}".strip()))
                yield shown(error_html(question, texts.STOPPED), field=question, ended=True)
        except RecoupeError as error:
            log.info("%s", error, exc_info=True)
            yield shown(error_html(question, str(error)), field=question, ended=True)
        except Exception:
            log.exception("question")
            yield shown(error_html(question, texts.UNEXPECTED), field=question, ended=True)

    def stop(self, request: gr.Request) -> Any:
        """Stop the answer that a page waits for, at its next step."""
        self._stops.ask(request)
        return gr.Button(visible=False)

    def open_citation(self, turns: list[ChatTurn], event: gr.EventData) -> str:
        """Return the panel for the mark or passage that was clicked."""
        data = event._data or {}
        try:
            citation = self._standing(turns)[int(data["turn"])].citation(data)
            return opened_article(self._assistant, citation.article_id, citation)
        except RecoupeError as error:
            return message_html("error", str(error))
        except BAD_CLICK:
            return _NO_ARTICLE

    def take(self, event: gr.EventData) -> list[Any]:
        """Take the question that was clicked, or that of a link with its filters.

        For the field, the state of a link, the controls and the chips.
        """
        data = event._data or {}
        if "link" not in data:
            question = str(data.get("question", ""))[:LONGEST_QUESTION]
            bar = self._bar.put(Choice()) if data.get("unfiltered") else [gr.skip()] * 7
            return [question, None, *bar]
        question, filters, corpus = linked(str(data["link"])[:5000])
        found = self._assistant.records(filters.articles)
        link = FollowedLink(
            corpus[:_DIGEST_LENGTH], article_gone=bool(filters.articles) and not found
        )
        filters = replace(filters, articles=tuple(r.id for r in found))
        return [question[:LONGEST_QUESTION], link, *self._bar.put(Choice.made_of(filters))]

    def recall(self, event: gr.EventData) -> list[Any]:
        """Show a conversation that the device kept, say which articles are gone, or export.

        For the conversation, its turns, what the device keeps, and the export.
        """
        data = event._data or {}
        skipped = [gr.skip()] * 4
        if "open" in data:
            turns = self._outdated(self._standing(self._seal.all_of(data["open"])))
            return [conversation_html(turns) or _WELCOME, turns, gr.skip(), gr.skip()]
        if isinstance(ids := data.get("check"), list):
            asked = [str(i) for i in ids[:_MOST_CHECKED]]
            answering = self._assistant.answerable(asked)
            gone = [i for i in asked if not answering.get(i)]
            return [*skipped[:2], history_html("gone", articles=gone), gr.skip()]
        if isinstance(conversations := data.get("export"), list):
            turns = [
                t for one in conversations[:100] for t in self._standing(self._seal.all_of(one))
            ]
            written = "\n\n".join(answer_markdown(t.answer) for t in turns)
            return [*skipped[:3], export_html("md", written, monotonic_ns(), "conversations")]
        return skipped

    def on_load(self) -> list[Any]:
        """Return the names to filter by and the example questions."""
        facets = self._assistant.facets()
        about = about_corpus.corpus_summary(facets) if facets.articles else ""
        if about and (changed := texts.last_change(self._assistant.index.last_change())):
            about = f"{about} {changed}"
        return [*self._bar.options(facets), examples_html(self._assistant.examples(), about)]

    def _turn(self, answer: Answer, choice: Choice, link: FollowedLink | None) -> ChatTurn:
        """Return an answer as the page shows and remembers it."""
        now = self._state_of_corpus()
        if link and (since := link.notice(now)):
            answer = replace(answer, notice=f"{since} {answer.notice}".strip())
        filters, asked = choice.filters(), answer.asked or answer.question
        labels = "\u202f; ".join(chip.label for chip in choice.chips(self._title_of))
        sought = self._sought(asked, filters, labels) if answer.refused else ""
        return ChatTurn(replace(answer, hits=()), filters, sought, now, labels)

    def _sought(self, question: str, filters: Filters, labels: str) -> str:
        """Return what was looked for, and where, as a sentence; `labels` name the filters."""
        carried = carried_over(question)
        found = [*topic_terms(carried.question), *carried.terms]
        terms = [t for t in dict.fromkeys(found) if _WORDS.fullmatch(t)][:_MOST_SOUGHT]
        if not terms:
            return ""
        among = texts.articles(self._assistant.index.catalogue.facets(filters).articles)
        if labels:
            among = texts.FILTERED_BY.format(among, labels)
        quoted = ", ".join(f"«\u00a0{term}\u00a0»" for term in terms)
        return texts.SOUGHT.format(among, quoted)

    def _searching(self) -> str:
        return texts.SEARCHING.format(texts.articles(self._assistant.index.articles()))

    def _remembered(self, turn: ChatTurn) -> str:
        return history_html(
            "turn",
            articles=sorted(turn.articles()),
            sealed=self._seal.close(turn),
            question=turn.answer.question,
        )

    def _standing(self, turns: Sequence[ChatTurn]) -> list[ChatTurn]:
        return without_withdrawn(turns, self._assistant.answerable)

    def _outdated(self, turns: Sequence[ChatTurn]) -> list[ChatTurn]:
        def text_of(article_id: str) -> str:
            try:
                return self._assistant.article(article_id).text
            except ArticleNotFoundError:  # it has gone since it was looked for
                return ""

        return outdated(turns, self._state_of_corpus(), text_of)

    def _state_of_corpus(self) -> str:
        return self._assistant.index.catalogue.digest()[:_DIGEST_LENGTH]

    def _title_of(self, article_id: str) -> str:
        """Return how an article is called, "" where there is none."""
        sources = (record.source for record in self._assistant.records([article_id]))
        return next((s.title or texts.label(s) for s in sources), "")
