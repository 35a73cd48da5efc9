"""Check that what a language model wrote is in the passages it cites (I4).

A statement passes when it cites a passage that exists, when its numbers and
names occur there, when most of its words do, and when it is close in meaning.
What does not pass is marked, never silently kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag import texts
from rag.domain import Citation, Hit, Statement
from rag.french import content_stems, fold, format_date, names, numbers, words
from rag.question import same_root
from rag.sentences import sentence_spans

if TYPE_CHECKING:
    from rag.embedding import Embedder

MARK = re.compile(r"\s*\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
_UNSAFE = re.compile(
    r"<[a-z/!?]|!?\[[^\]]*\]\(|\b(?:https?|javascript|data):|\bwww\.", re.IGNORECASE
)
# What an article says to a model, not to its readers: no evidence of anything.
_INSTRUCTION = re.compile(
    r"\b(?:notes?|messages?|consignes?) (?:a|pour) l'(?:assistant|ia|intelligence artificielle)\b|"
    r"\bignor(?:e|ez|er) (?:toutes )?(?:les|tes|vos) (?:regles|consignes|instructions)\b|"
    r"\bignore (?:all )?(?:the )?(?:previous|prior|above) |\bsystem prompt\b|<\||### ?instruction|"
    r"(?:^|[,:;.!?] ?)(?:dis|dites|affirme|affirmez|ecris|ecrivez|reponds|repondez)"
    r"(?:-le)?(?: toujours| seulement| uniquement)? (?:au lecteur|aux lecteurs|que |qu')"
)
_COUNTS = "zéro une deux trois quatre cinq six sept huit neuf dix".split()
_COUNT = "|".join(_COUNTS[1:]) + r"|\d{1,2}"
_WEIGHING = re.compile(
    rf"\b({_COUNT}) (?:des )?sources? (?:sur|parmi) (?:les )?({_COUNT})\b", re.IGNORECASE
)
_WORDS_HELD = 0.6  # share of a statement's content words found in its passages
_CLOSE = 0.80  # cosine of statement and passage: e5 puts unrelated French below about 0.80


def check(text: str, hits: Sequence[Hit], embedder: Embedder) -> Statement | None:
    """Return one sentence of a model's answer as a checked statement.

    `text` holds its marks `[n]`, 1-based in `hits`. Marks without a passage
    are removed. None when nothing is left but marks. Raises EmbeddingError.
    """
    said = MARK.sub("", text).strip()
    if not re.search(r"\w", said):
        return None
    cited = [int(n) for m in MARK.findall(text) for n in re.findall(r"\d+", m)]
    known = [hits[n - 1] for n in dict.fromkeys(cited) if 1 <= n <= len(hits)]
    if not known:
        reason = texts.INVENTED_CITATION if cited else texts.NO_CITATION
        return Statement(said, supported=False, problem=reason)
    citations = _citations(said, known)
    problem = _problem(said, known, citations, hits, embedder)
    return Statement(said, citations, supported=not problem, problem=problem)


def _problem(
    said: str,
    hits: Sequence[Hit],
    citations: Sequence[Citation],
    given: Sequence[Hit],
    embedder: Embedder,
) -> str:
    """Return why a statement is not supported by passages, in French, or ""."""
    context = "\n".join(_context(hit) for hit in hits)
    if _UNSAFE.search(said) and not _UNSAFE.search(context):
        return texts.UNSAFE_TEXT
    if all(_INSTRUCTION.search(fold(c.quote)) for c in citations):
        return texts.INSTRUCTION
    weighing = _WEIGHING.search(said)
    if weighing:
        if not _weighs(weighing, hits, given):
            return texts.WRONG_WEIGHING
        said = said.replace(weighing.group(), " ")
    if absent := numbers(said) - numbers(context):
        return texts.ABSENT_NUMBER.format(", ".join(sorted(absent)))
    present = set(words(context))
    if absent := names(said) - present:
        return texts.ABSENT_NAME.format(", ".join(sorted(absent)))
    stems = set(content_stems(said))
    held = set(content_stems(context))
    missing = [s for s in stems if not any(same_root(s, h) for h in held)]
    if stems and 1 - len(missing) / len(stems) < _WORDS_HELD:
        return texts.ABSENT_WORDS
    if _negated(said) != _negated(" ".join(c.quote for c in citations)) and not missing:
        return texts.REVERSED
    statement, *passages = embedder.embed_passages([said, *(h.passage.text for h in hits)])
    nearest = max(float(statement @ v) for v in passages)
    return texts.FAR_MEANING if nearest < _CLOSE else ""


def _weighs(weighing: re.Match[str], cited: Sequence[Hit], given: Sequence[Hit]) -> bool:
    """Tell whether « deux sources sur trois » counts sources that are cited and given."""
    some, of = (_COUNTS.index(n.lower()) if n.lower() in _COUNTS else int(n)
                for n in weighing.groups())  # fmt: skip
    return some <= len(_sources(cited)) and some <= of <= len(_sources(given))


def _sources(hits: Sequence[Hit]) -> set[str]:
    return {hit.source.name or hit.source.title for hit in hits}


def _context(hit: Hit) -> str:
    source = hit.source
    day = format_date(source.published)
    return "\n".join((source.title, source.name, source.author, day, hit.passage.text))


def _negated(text: str) -> bool:
    return bool(
        re.search(r"\b(?:ne|n')\s?\w+.{0,30}\b(?:pas|jamais|aucun\w*|plus|rien)\b", fold(text))
    )


def _citations(said: str, hits: Sequence[Hit]) -> tuple[Citation, ...]:
    """Return, for each cited passage, the sentence of it that says most of a statement."""
    wanted = set(content_stems(said)) | numbers(said)
    citations = []
    for hit in hits:
        passage = hit.passage
        spans = sentence_spans(passage.text) or [(0, len(passage.text))]

        def overlap(span: tuple[int, int], text: str = passage.text) -> tuple[float, int]:
            held = text[span[0] : span[1]]
            share = len(wanted & (set(content_stems(held)) | numbers(held)))
            return share, -span[0]

        a, b = max(spans, key=overlap)
        start, end = passage.start + a, passage.start + b
        citations.append(Citation(passage.article_id, hit.source, start, end, passage.text[a:b]))
    return tuple(citations)
