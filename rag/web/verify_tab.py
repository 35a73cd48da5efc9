"""The « Vérifier » tab: claims in, verdicts as they are reached, a journalist's decisions kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from time import monotonic_ns
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool

from rag import texts
from rag.assistant import LocalAssistant
from rag.checking.claims import LONGEST_TEXT, Claim, plain_text
from rag.checking.report import Publisher, report
from rag.domain import CheckedClaim, Label, Review, Verification
from rag.errors import ReadError, RecoupeError
from rag.models.embedding import encodable
from rag.web.gradio_quickly import gr
from rag.web.limits import Gate, Rates, client_of
from rag.web.opened_article import opened_article
from rag.web.render import export_html, message_html
from rag.web.render_claims import (
    LONGEST_NOTE,
    CheckedText,
    checked_html,
    checking_html,
    progress_html,
)
from rag.web.sealing import Seal
from rag.web.stopping import Stops
from rag.web.templating import rendered
from rag.web.turns import checked_in_turns, split_in_turns
from rag.web.verify_address import hosts, lone_address, text_at
from rag.web.verify_example import example

log = logging.getLogger(__name__)

_RENDER_GROWTH = 1.15  # times as many claims as were shown last, before they are shown again
_STORED = TypeAdapter(CheckedText)
_WELCOME = message_html("welcome", texts.VERIFY_WELCOME)
Shown = tuple[Any, Any, Any]  # what is shown of how far it is, and of the claims; what is kept


def browser_state() -> gr.BrowserState:
    """Return where the browser keeps a verification."""
    # Gradio enciphers it; a fixed word lets a restarted server read it. It hides nothing.
    return gr.BrowserState(None, storage_key="recoupe-verification", secret="recoupe")  # noqa: S106


class VerifyTab:
    """The tab and its handlers. The verification is kept by the browser, sealed."""

    def __init__(
        self, assistant: LocalAssistant, rates: Rates, gate: Gate, scripts: dict[str, str]
    ) -> None:
        """Take the assistant, the rates, the turns, and the page's scripts by file name.

        Raises StoreError where the key of what the browser keeps can be neither read nor written.
        """
        self._seal = Seal(assistant.settings.index_dir, "verification")
        self._assistant = assistant
        self._rates = rates
        self._gate = gate
        self._scripts = scripts
        self._stops = Stops()

    def build(self, page: gr.Blocks, state: gr.BrowserState) -> None:
        """Add the tab's content; `state` must stand outside the tabs, which load when opened."""
        with gr.Column(elem_id="rc-verify"):
            with gr.Column(elem_id="rc-form"):
                text = gr.Textbox(
                    label="Texte à vérifier",
                    placeholder="Une affirmation par ligne, ou un texte suivi…",
                    lines=6,
                    max_lines=20,
                    elem_id="rc-claims-text",
                )
                gr.HTML(rendered("draft_file.html"), js_on_load=self._scripts["text.js"])
                own = hosts(self._assistant.settings)
                with gr.Row(visible=bool(own), elem_id="rc-address"):
                    address = gr.Textbox(
                        label="Ou l’adresse d’un article",
                        info=f"De {', '.join(sorted(own))}",
                        max_length=2000,
                        scale=4,
                    )
                    read = gr.Button("Lire", variant="secondary", elem_id="rc-read", scale=0)
                address_status = gr.HTML("", elem_id="rc-address-status", js_on_load=None)
                with gr.Row():
                    check = gr.Button("Vérifier", variant="primary", elem_id="rc-check")
                    sample = gr.Button(
                        "Essayer un exemple", variant="secondary", elem_id="rc-check-example"
                    )
                    clear = gr.Button("Effacer", variant="secondary", elem_id="rc-check-clear")
            with gr.Row(elem_id="rc-checking"):
                progress = gr.HTML("", elem_id="rc-progress", js_on_load=None)
                stop = gr.Button("Arrêter", variant="stop", elem_id="rc-stop", scale=0)
            claims = gr.HTML(_WELCOME, elem_id="rc-claims", js_on_load=self._scripts["verify.js"])
            export = gr.HTML(
                "", elem_id="rc-export", js_on_load=self._scripts["export.js"], visible="hidden"
            )
            panel = gr.HTML("", elem_id="rc-proof", js_on_load=self._scripts["panel.js"])
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        # The gate bounds it, claim by claim: a slot of Gradio's would be held for the whole text.
        check.click(self.check, [text], [progress, claims, state], concurrency_limit=None, **quiet)
        stop.click(self.stop, None, None, **quiet)
        if own:
            gr.on(
                [read.click, address.submit],
                self.read_address,
                [address],
                [text, address_status],
                **quiet,
            )
        sample.click(self.example, None, [text, claims], **quiet)
        claims.select(self.act, [state], [panel, state, export], **quiet)
        clear.click(lambda: ("", "", _WELCOME, None, ""), None,
                    [text, progress, claims, state, panel], **quiet)  # fmt: skip
        page.load(self.restore, [state], [claims, state], **quiet)

    async def check(self, text: str, request: gr.Request) -> AsyncIterator[Shown]:
        """Check a text: yield how far it is, the claims' HTML as it grows, what is to be kept."""
        plain = plain_text(encodable((text or "")[: LONGEST_TEXT + 1]))
        if host := lone_address(plain):
            here = host in hosts(self._assistant.settings)
            address_status = texts.ADDRESS_ALONE if here else texts.ADDRESS_ELSEWHERE.format(host)
            yield "", message_html("error", address_status), gr.skip()
            return
        with self._stops.of(request) as asked_to_stop:
            try:
                yield progress_html([], 0, splitting=True), gr.skip(), gr.skip()
                visitor = client_of(request)
                self._rates.take(visitor)
                async with aclosing(self._steps(plain, visitor, asked_to_stop)) as steps:
                    async for step in steps:
                        yield step
            except RecoupeError as error:
                log.info("%s", error, exc_info=True)
                yield "", message_html("error", str(error)), gr.skip()
            except Exception:
                log.exception("vérification")
                yield "", message_html("error", texts.UNEXPECTED), gr.skip()

    async def read_address(self, url: str, request: gr.Request) -> tuple[Any, str]:
        """Return the text of an article of the newspaper's own, and what was done."""
        try:
            visitor = client_of(request)
            self._rates.take(visitor)
            async with self._gate.place(visitor, long=True):
                found = await run_in_threadpool(
                    text_at, encodable(url or ""), self._assistant.settings
                )
        except ReadError as error:
            return gr.skip(), message_html("error", texts.ADDRESS_NOT_READ.format(error))
        except RecoupeError as error:
            return gr.skip(), message_html("error", str(error))
        except Exception:
            log.exception("adresse à vérifier")
            return gr.skip(), message_html("error", texts.UNEXPECTED)
        return found, message_html("status", texts.ADDRESS_READ)

    def example(self) -> tuple[Any, Any]:
        """Return a text to try the tab with, and what to say where the corpus gives none."""
        if found := example(self._assistant):
            return found, gr.skip()
        return gr.skip(), message_html("status", texts.NO_EXAMPLE)

    async def stop(self, request: gr.Request) -> None:
        """Have the check of this page end: the claim that is being judged is the last one."""
        self._stops.ask(request)

    async def _steps(
        self, text: str, visitor: str, asked_to_stop: asyncio.Event
    ) -> AsyncGenerator[Shown]:
        """Yield the steps of a check, until its end or until it is `asked_to_stop`."""
        found: list[Claim] = []
        async with aclosing(
            split_in_turns(self._assistant, self._gate, visitor, text)
        ) as splitting:
            async for piece in splitting:
                found += piece
                if asked_to_stop.is_set():
                    yield "", message_html("status", texts.NOTHING_JUDGED), gr.skip()
                    return
                yield (progress_html([], len(found), splitting=True),
                       checking_html(text, found, []), gr.skip())  # fmt: skip
        checked: list[CheckedClaim] = []
        shown = 0
        steps = await checked_in_turns(self._assistant, self._gate, self._rates, visitor, found)
        async with aclosing(steps):
            async for step in steps:
                if isinstance(step, Verification):
                    yield self._ended(step, text, len(found))
                    return
                checked.append(step)
                if asked_to_stop.is_set():
                    break
                # All of them at each step would be the square of the text.
                if len(checked) >= _RENDER_GROWTH * shown:
                    shown = len(checked)
                    yield (progress_html(checked, len(found)), checking_html(text, found, checked),
                           self.sealed(await self._so_far(checked, text, len(found))))  # fmt: skip
                else:
                    yield progress_html(checked, len(found)), gr.skip(), gr.skip()
        yield self._ended(await self._so_far(checked, text, len(found)), text, len(found))

    async def _so_far(self, checked: Sequence[CheckedClaim], text: str, total: int) -> CheckedText:
        """Return what has been judged of a text that has more claims."""
        done = await run_in_threadpool(lambda: self._assistant.checker().verification(checked))
        return CheckedText.of(done, text, total)

    def _ended(self, done: Verification, text: str, total: int) -> Shown:
        whole = CheckedText.of(done, text, total)
        return "", checked_html(whole), self.sealed(whole)

    def restore(self, stored: Any) -> tuple[str, Any]:
        """Return the HTML of what the browser kept, or the welcome, and what it is to keep."""
        done = self._read(stored)
        if done is None:
            return _WELCOME, None
        return checked_html(done), self.sealed(done)

    def _read(self, stored: Any) -> CheckedText | None:
        """Return what the browser kept, without what has gone from the corpus since."""
        try:
            found = self._seal.open(stored)
            done = _STORED.validate_python(found) if found else None
        except ValidationError:  # of another version
            log.info("vérification gardée illisible")
            done = None
        if done is None:
            return None
        cited = {e.citation.article_id for c in done.claims for e in c.evidence}
        answerable = self._assistant.answerable(list(cited))
        return replace(done, claims=tuple(_without_gone(c, answerable) for c in done.claims))

    def sealed(self, done: Verification) -> str:
        """Return a verification as the browser keeps it."""
        whole = done if isinstance(done, CheckedText) else CheckedText.of(done)
        return self._seal.close(_STORED.dump_python(whole, mode="json"))

    def act(self, stored: Any, event: gr.EventData) -> tuple[Any, Any, Any]:
        """Open a piece of evidence, note a decision, or export; (panel, kept, export)."""
        data = event._data or {}
        done = self._read(stored)
        if done is None:
            return gr.skip(), gr.skip(), gr.skip()
        try:
            if "export" in data:
                form = str(data["export"])
                publisher = Publisher.of(self._assistant.settings)
                written = report(form, done, publisher)
                return gr.skip(), gr.skip(), export_html(form, written, monotonic_ns())
            at = int(data["claim"])
            if "evidence" in data:
                return self._open(done, at, int(data["evidence"])), gr.skip(), gr.skip()
            return gr.skip(), self.sealed(_reviewed(done, at, data)), gr.skip()
        except RecoupeError as error:
            return message_html("error", str(error)), gr.skip(), gr.skip()
        except (IndexError, KeyError, TypeError, ValueError, OverflowError):
            return gr.skip(), gr.skip(), gr.skip()

    def _open(self, done: CheckedText, at: int, evidence: int) -> str:
        cited = done.claims[at].evidence[evidence].citation
        return opened_article(self._assistant, cited.article_id, cited)


def _without_gone(claim: CheckedClaim, answerable: Mapping[str, bool]) -> CheckedClaim:
    """Return a claim without evidence of articles that were removed; it then stands on nothing."""
    left = tuple(e for e in claim.evidence if e.citation.article_id in answerable)
    if len(left) == len(claim.evidence):
        return claim
    return replace(
        claim,
        verdict=Label.INSUFFICIENT,
        reason=texts.EVIDENCE_GONE,
        confidence="",
        sources=0,
        oldest=None,
        newest=None,
        evidence=(),
    )


def _reviewed(done: CheckedText, at: int, data: dict[str, Any]) -> CheckedText:
    claims = list(done.claims)
    review = claims[at].review
    if "note" in data:
        review = replace(review, note=str(data["note"])[:LONGEST_NOTE])
    elif data.get("verdict"):
        review = replace(review, decision="corrected", verdict=Label(data["verdict"]))
    else:
        review = TypeAdapter(Review).validate_python(
            {"decision": data.get("decision", ""), "note": review.note}
        )
    claims[at] = replace(claims[at], review=review)
    return replace(done, claims=tuple(claims))
