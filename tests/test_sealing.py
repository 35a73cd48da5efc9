"""What a browser keeps comes back as it was given, or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from rag.assistant import LocalAssistant
from rag.domain import Article, Citation, Passage, Reading, Source, Verification
from rag.settings import load_settings
from rag.web.limits import Gate, Rates
from rag.web.sealing import Seal
from rag.web.verify_tab import VerifyTab

TEXT = (
    "Le bac de Lérins a transporté 311 voyageurs en mars. La compagnie en attendait le double. "
    "Elle vendra le bac en juin, a dit sa directrice, Mona Ferrec."
)


@pytest.fixture
def tab(tmp_path: Path) -> VerifyTab:
    made = LocalAssistant(load_settings(index_dir=tmp_path))
    made.ingest(Reading((Article("bac", Source("Le bac", "Le Rivage", paywalled=True), TEXT),)))
    return VerifyTab(made, Rates(made.settings), Gate(1, 1), {})


def stored(tab: VerifyTab) -> dict[str, Any]:
    checked = tab._assistant.verify("Le bac de Lérins a transporté 311 voyageurs en mars.")
    found: dict[str, Any] = TypeAdapter(Verification).dump_python(checked, mode="json")
    return found


def test_a_verification_that_was_not_made_here_is_not_shown(tab: VerifyTab, tmp_path: Path) -> None:
    forged = stored(tab)
    forged["claims"][0]["reason"] = "Le ministre est coupable."
    elsewhere = Seal(tmp_path / "autre", "verification")
    other_purpose = Seal(tab._assistant.settings.index_dir, "autre")
    whole = tab.sealed(TypeAdapter(Verification).validate_python(stored(tab)))
    for kept in (
        forged, json.dumps(forged), elsewhere.close(forged), other_purpose.close(forged),
        whole[:-1], whole + "A", whole.replace(".", "..", 1), "", None, 3, [], {"claims": []},
    ):  # fmt: skip
        html, left = tab.restore(kept)
        assert "coupable" not in html
        assert left is None
        proof = gr.EventData(None, {"claim": 0, "evidence": 0})
        assert all("Rivage" not in str(part) for part in tab.act(kept, proof))
    assert "311" in tab.restore(whole)[0]


@pytest.mark.parametrize(
    ("start", "end"), [(-1, 154), (-154, -1), (0, 0), (5, 4), (0, 10_000), (3, 20)]
)
def test_a_citation_that_is_no_span_is_none(tab: VerifyTab, start: int, end: int) -> None:
    """Such a span of a paid article gave all of it but a word."""
    forged = stored(tab)
    cited = forged["claims"][0]["evidence"][0]["citation"]
    cited |= {"start": start, "end": end}
    with pytest.raises(ValidationError):
        TypeAdapter(Verification).validate_python(forged)
    # Even with the key of the index.
    html, left = tab.restore(Seal(tab._assistant.settings.index_dir, "verification").close(forged))
    assert "attendait le double" not in html
    assert left is None


@given(st.integers(-50, 50), st.integers(-50, 50), st.text(max_size=30))
def test_every_citation_is_a_span(start: int, end: int, quote: str) -> None:
    try:
        made = Citation("a", Source("T"), start, end, quote)
    except ValueError:
        assert not (0 <= start < end and len(quote) == end - start)
        return
    assert ("x" * start + quote)[made.start : made.end] == quote
    assert made.stands_in("x" * start + quote + "y")


def test_a_span_outside_of_its_passage_is_refused() -> None:
    passage = Passage("a:v:0", "a", 0, 10, 20, "0123456789")
    assert Citation.of(passage, Source("T"), 12, 15).quote == "234"
    for start, end in ((9, 12), (12, 21), (15, 15), (16, 15), (-10, -5)):
        with pytest.raises(ValueError, match="outside"):
            Citation.of(passage, Source("T"), start, end)


def test_the_key_is_this_user_s_and_lasts(tmp_path: Path) -> None:
    sealed = Seal(tmp_path, "p").close({"a": 1})
    assert Seal(tmp_path, "p").open(sealed) == {"a": 1}
    assert (tmp_path / "browser.key").stat().st_mode & 0o077 == 0
    (tmp_path / "browser.key").write_bytes(b"cut")  # as a full disk leaves it
    assert Seal(tmp_path, "p").open(sealed) is None
    assert Seal(tmp_path, "p").open(Seal(tmp_path, "p").close(2)) == 2
