"""The « Vérifier » tab: claims in, verdicts as they are reached, a journalist's decisions kept."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import gradio as gr
from pydantic import TypeAdapter, ValidationError

from rag import texts
from rag.assistant import LocalAssistant
from rag.checking.report import FORMATS, extent, provenance, stance
from rag.domain import CheckedClaim, Label, Review, Verification
from rag.errors import RecoupeError
from rag.web.limits import Gate, Rates, client_of
from rag.web.render import article_html, esc
from rag.web.turns import claims_in_turns

log = logging.getLogger(__name__)

_STORED = TypeAdapter(Verification)
_LONGEST_NOTE = 2000
_EXPORTS = {"md": "Markdown", "html": "HTML", "csv": "CSV", "json": "JSON", "jsonld": "ClaimReview"}


def browser_state() -> gr.BrowserState:
    """Return where the browser keeps a verification."""
    # Gradio enciphers it; a fixed word lets a restarted server read it. It hides nothing.
    return gr.BrowserState(None, storage_key="recoupe-verification", secret="recoupe")  # noqa: S106


class VerifyTab:
    """The tab and its handlers. The verification is kept by the browser, in its own storage."""

    def __init__(
        self, assistant: LocalAssistant, rates: Rates, gate: Gate, scripts: dict[str, str]
    ) -> None:
        """Take the assistant, the rates, the turns, and the page's scripts by file name."""
        self._assistant = assistant
        self._rates = rates
        self._gate = gate
        self._scripts = scripts

    def build(self, page: gr.Blocks, kept: gr.BrowserState, no_article: str) -> None:
        """Add the tab's content; `kept` must stand outside the tabs, which load when opened."""
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
                    _welcome(), elem_id="rc-claims", js_on_load=self._scripts["verify.js"]
                )
                export = gr.HTML(
                    "", elem_id="rc-export", js_on_load=self._scripts["export.js"], visible="hidden"
                )
            with gr.Column(scale=2, min_width=320):
                panel = gr.HTML(
                    no_article, elem_id="rc-proof", js_on_load=self._scripts["panel.js"]
                )
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        # The gate bounds it, claim by claim: a slot of Gradio's would be held for the whole text.
        check.click(self.check, [text], [claims, kept], concurrency_limit=None, **quiet)
        claims.select(self.act, [kept], [panel, kept, export], **quiet)
        clear.click(lambda: ("", _welcome(), None, no_article), None,
                    [text, claims, kept, panel], **quiet)  # fmt: skip
        page.load(self.restore, [kept], [claims], **quiet)

    async def check(self, text: str, request: gr.Request) -> AsyncIterator[tuple[str, Any]]:
        """Check a text: yield the claims' HTML as it grows, then what is to be kept."""
        checked: list[CheckedClaim] = []
        yield _busy(0), gr.skip()
        try:
            visitor = client_of(request)
            self._rates.take(visitor)
            steps = await claims_in_turns(
                self._assistant, self._gate, self._rates, visitor, text or ""
            )
            async with aclosing(steps):
                async for step in steps:
                    if isinstance(step, Verification):
                        yield verification_html(step), _STORED.dump_python(step, mode="json")
                        return
                    checked.append(step)
                    yield _busy(len(checked)) + _claims_html(checked), gr.skip()
        except RecoupeError as error:
            log.info("%s", error, exc_info=True)
            yield f'<p class="rc-error" role="alert">{esc(str(error))}</p>', gr.skip()
        except Exception:
            log.exception("vérification")
            yield f'<p class="rc-error" role="alert">{esc(texts.UNEXPECTED)}</p>', gr.skip()

    def restore(self, kept: Any) -> str:
        """Return the HTML of what the browser kept, or the welcome."""
        done = _read(kept)
        return verification_html(done) if done else _welcome()

    def act(self, kept: Any, event: gr.EventData) -> tuple[Any, Any, Any]:
        """Open a piece of evidence, note a decision, or export; (panel, kept, export)."""
        data = event._data or {}
        done = _read(kept)
        if done is None:
            return gr.skip(), gr.skip(), gr.skip()
        try:
            if "export" in data:
                return gr.skip(), gr.skip(), _export_html(done, str(data["export"]))
            at = int(data["claim"])
            if "evidence" in data:
                return self._open(done, at, int(data["evidence"])), gr.skip(), gr.skip()
            return gr.skip(), _STORED.dump_python(_reviewed(done, at, data), mode="json"), gr.skip()
        except RecoupeError as error:
            return f'<p class="rc-error" role="alert">{esc(str(error))}</p>', gr.skip(), gr.skip()
        except (IndexError, KeyError, TypeError, ValueError):
            return gr.skip(), gr.skip(), gr.skip()

    def _open(self, done: Verification, at: int, evidence: int) -> str:
        cited = done.claims[at].evidence[evidence].citation
        article = self._assistant.article(cited.article_id)
        return article_html(article, cited, whole=self._assistant.settings.public_text)


def verification_html(done: Verification) -> str:
    """Return checked claims, the line that says how, and the exports."""
    buttons = "".join(
        f'<button type="button" class="rc-save" data-export="{form}">{name}</button>'
        for form, name in _EXPORTS.items()
    )
    about = f'<p class="rc-meta">{esc(provenance(done))}</p>'
    return f'{_claims_html(done.claims)}{about}<p class="rc-actions">Exporter\u00a0: {buttons}</p>'


def _claims_html(claims: list[CheckedClaim] | tuple[CheckedClaim, ...]) -> str:
    return "".join(_claim_html(claim, at) for at, claim in enumerate(claims))


def _claim_html(claim: CheckedClaim, at: int) -> str:
    kind = claim.verdict.name.lower()
    meta = extent(claim)
    return (
        f'<article class="rc-claim rc-verdict-{kind}" data-claim="{at}">'
        f'<h2 class="rc-question">{esc(claim.text)}</h2>'
        f'<p><strong class="rc-verdict">{esc(claim.verdict.value)}</strong> {esc(claim.reason)}</p>'
        + (f'<p class="rc-meta">{esc(meta)}</p>' if meta else "")
        + _evidence_html(claim, at)
        + _review_html(claim, at)
        + "</article>"
    )


def _evidence_html(claim: CheckedClaim, at: int) -> str:
    if not claim.evidence:
        return ""
    items = []
    for number, evidence in enumerate(claim.evidence):
        seen = "".join(
            f'<li class="rc-signal-{"against" if s.side == "contre" else "for"}">{esc(s.text)}</li>'
            for s in evidence.signals
        )
        also = ", ".join(dict.fromkeys(s.name or s.title for s in evidence.also))
        around = "".join(f"<p>{esc(t)}</p>" for t in (evidence.before, evidence.after) if t)
        told = (texts.label(evidence.citation.source), evidence.attribution.label, stance(evidence),
                f"repris par {also}" if also else "", evidence.outranked)  # fmt: skip
        names = f'class="rc-proof" data-claim="{at}" data-evidence="{number}"'
        items.append(
            f'<li><button type="button" {names}>'
            f"«\u00a0{esc(evidence.citation.quote.strip())}\u00a0»</button>"
            f'<p class="rc-meta">{esc(" · ".join(t for t in told if t))}</p>'
            + (f"<ul>{seen}</ul>" if seen else "")
            + (f"<details><summary>Phrases voisines</summary>{around}</details>" if around else "")
            + "</li>"
        )
    count = len(items)
    name = "1 passage" if count == 1 else f"{count} passages"
    return (
        f'<details class="rc-proofs"><summary>{name}</summary><ul>{"".join(items)}</ul></details>'
    )


def _review_html(claim: CheckedClaim, at: int) -> str:
    review = claim.review

    def button(decision: str, name: str) -> str:
        pressed = "true" if review.decision == decision else "false"
        return (
            f'<button type="button" class="rc-decide" data-decision="{decision}" '
            f'aria-pressed="{pressed}">{name}</button>'
        )

    options = "".join(
        f'<option value="{esc(label.value)}"{" selected" if review.verdict is label else ""}>'
        f"{esc(label.value)}</option>"
        for label in Label
    )
    return (
        f'<div class="rc-review">{button("accepted", "Accepter")}{button("rejected", "Rejeter")}'
        f'<label>Corriger\u00a0: <select class="rc-correct"><option value="">–</option>{options}'
        f'</select></label><label>Note\u00a0: <input class="rc-note" maxlength="{_LONGEST_NOTE}" '
        f'value="{esc(review.note)}" aria-label="Note sur l’affirmation {at + 1}"></label></div>'
    )


def _reviewed(done: Verification, at: int, data: dict[str, Any]) -> Verification:
    claims = list(done.claims)
    review = claims[at].review
    if "note" in data:
        review = replace(review, note=str(data["note"])[:_LONGEST_NOTE])
    elif data.get("verdict"):
        review = replace(review, decision="corrected", verdict=Label(data["verdict"]))
    else:
        review = TypeAdapter(Review).validate_python(
            {"decision": data.get("decision", ""), "note": review.note}
        )
    claims[at] = replace(claims[at], review=review)
    return replace(done, claims=tuple(claims))


def _export_html(done: Verification, form: str) -> str:
    # The suffix changes each time: a second export of the same is news to the page.
    report = FORMATS[form](done)
    return f'<pre data-name="verification.{form}" data-at="{id(report)}">{esc(report)}</pre>'


def _read(kept: Any) -> Verification | None:
    """Return what the browser kept, when it is whole; it may be of another version."""
    try:
        return _STORED.validate_python(kept) if kept else None
    except ValidationError:
        log.info("vérification gardée illisible")
        return None


def _welcome() -> str:
    return f'<p class="rc-welcome">{esc(texts.VERIFY_WELCOME)}</p>'


def _busy(count: int) -> str:
    return f'<p class="rc-meta" role="status">{esc(texts.CHECKING.format(count))}</p>'
