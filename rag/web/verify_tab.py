"""The « Vérifier » tab: claims in, verdicts as they are reached, a journalist's decisions kept."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from time import monotonic_ns
from typing import Any

import gradio as gr
from pydantic import TypeAdapter, ValidationError

from rag import texts
from rag.assistant import LocalAssistant
from rag.checking.claims import LONGEST_TEXT
from rag.checking.report import Publisher, report
from rag.domain import CheckedClaim, Label, Review, Verification
from rag.errors import RecoupeError
from rag.models.embedding import clean
from rag.web.limits import Gate, Rates, client_of
from rag.web.render import (
    LONGEST_NOTE,
    article_html,
    checking_html,
    export_html,
    message_html,
    verification_html,
)
from rag.web.sealing import Seal
from rag.web.turns import claims_in_turns

log = logging.getLogger(__name__)

_MORE = 1.15  # times as many claims as were shown last, before they are shown again
_STORED = TypeAdapter(Verification)


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

    def build(self, page: gr.Blocks, state: gr.BrowserState) -> None:
        """Add the tab's content; `state` must stand outside the tabs, which load when opened."""
        welcome = message_html("welcome", texts.VERIFY_WELCOME)
        no_proof = message_html("placeholder", texts.NO_PROOF)
        with gr.Row(elem_classes="rc-columns"):
            with gr.Column(scale=3, min_width=320):
                text = gr.Textbox(
                    label="Texte à vérifier",
                    placeholder="Une affirmation par ligne, ou un texte suivi…",
                    lines=4,
                    max_lines=14,
                    elem_id="rc-claims-text",
                )
                with gr.Row():
                    check = gr.Button("Vérifier", variant="primary", elem_id="rc-check")
                    clear = gr.Button("Effacer", variant="secondary", elem_id="rc-check-clear")
                claims = gr.HTML(
                    welcome, elem_id="rc-claims", js_on_load=self._scripts["verify.js"]
                )
                export = gr.HTML(
                    "", elem_id="rc-export", js_on_load=self._scripts["export.js"], visible="hidden"
                )
            with gr.Column(scale=2, min_width=320):
                panel = gr.HTML(no_proof, elem_id="rc-proof", js_on_load=self._scripts["panel.js"])
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        # The gate bounds it, claim by claim: a slot of Gradio's would be held for the whole text.
        check.click(self.check, [text], [claims, state], concurrency_limit=None, **quiet)
        claims.select(self.act, [state], [panel, state, export], **quiet)
        clear.click(lambda: ("", welcome, None, no_proof), None,
                    [text, claims, state, panel], **quiet)  # fmt: skip
        page.load(self.restore, [state], [claims, state], **quiet)

    async def check(self, text: str, request: gr.Request) -> AsyncIterator[tuple[str, Any]]:
        """Check a text: yield the claims' HTML as it grows, then what is to be kept."""
        checked: list[CheckedClaim] = []
        shown = 0
        yield checking_html(checked), gr.skip()
        try:
            visitor = client_of(request)
            self._rates.take(visitor)
            text = clean((text or "")[: LONGEST_TEXT + 1])
            steps = await claims_in_turns(self._assistant, self._gate, self._rates, visitor, text)
            async with aclosing(steps):
                async for step in steps:
                    if isinstance(step, Verification):
                        yield verification_html(step), self.sealed(step)
                        return
                    checked.append(step)
                    # All of them at each step would be the square of the text.
                    if len(checked) >= _MORE * shown:
                        shown = len(checked)
                        yield checking_html(checked), gr.skip()
        except RecoupeError as error:
            log.info("%s", error, exc_info=True)
            yield message_html("error", str(error)), gr.skip()
        except Exception:
            log.exception("vérification")
            yield message_html("error", texts.UNEXPECTED), gr.skip()

    def restore(self, kept: Any) -> tuple[str, Any]:
        """Return the HTML of what the browser kept, or the welcome, and what it is to keep."""
        done = self._read(kept)
        if done is None:
            return message_html("welcome", texts.VERIFY_WELCOME), None
        return verification_html(done), self.sealed(done)

    def _read(self, stored: Any) -> Verification | None:
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
        return self._seal.close(_STORED.dump_python(done, mode="json"))

    def act(self, kept: Any, event: gr.EventData) -> tuple[Any, Any, Any]:
        """Open a piece of evidence, note a decision, or export; (panel, kept, export)."""
        data = event._data or {}
        done = self._read(kept)
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

    def _open(self, done: Verification, at: int, evidence: int) -> str:
        cited = done.claims[at].evidence[evidence].citation
        article = self._assistant.article(cited.article_id)
        whole = self._assistant.settings.public_text
        past = self._assistant.history(cited.article_id)
        return article_html(article, cited, whole=whole, history=past)


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


def _reviewed(done: Verification, at: int, data: dict[str, Any]) -> Verification:
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
