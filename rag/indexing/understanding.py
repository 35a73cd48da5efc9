"""What is made of an article when it is indexed: passages, sentences, vectors; each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from rag.domain import Article, Passage, Sentence, Source, StoredArticle
from rag.french.reading import understand
from rag.french.sentences import Span, sentence_spans
from rag.indexing.catalogue import Row
from rag.indexing.passages import Cut, make_passages, passage_text, split
from rag.models.embedding import Embedding
from rag.models.packing import pack

if TYPE_CHECKING:
    from rag.models.embedding import Embedder, PassageText, Vectors

Embedded = dict[bytes, tuple["Vectors", Sequence[bytes], Sequence[bool | None]]]
"""By content, what serves again: the vector of a passage, those of its sentences in 8 bits, and
which of them speak to a machine, as far as that is known."""
Known = Callable[[Sequence[bytes]], Embedded]


@dataclass(frozen=True, slots=True)
class Understood:
    """A passage with its sentences, not embedded yet, and what is to be embedded for it."""

    passage: Passage
    sentences: tuple[Sentence, ...]
    text: PassageText

    def content(self, embedding: str) -> bytes:
        """Return what tells passages whose vectors by one embedder are the same: 16 bytes."""
        told = repr((embedding, self.text.text, self.text.sentences, self.text.title))
        return blake2b(told.encode(errors="replace"), digest_size=16).digest()


def understood(article: Article, passage_tokens: int) -> list[Understood]:
    """Return the passages of an article, of about `passage_tokens` tokens, understood."""
    cuts = split(article.text, article.headings, passage_tokens)
    passages = make_passages(article.id, article.text, cuts, article.headings, article.pages)
    return _in_context(article.text, article.source, passages, cuts, article.headings)


def again(embedder: Embedder, article: StoredArticle) -> tuple[Vectors, list[Row]]:
    """Return the vectors and the rows of a stored article's passages. Raises EmbeddingError."""
    cuts = [
        Cut(p.start, p.end, tuple((p.start + a, p.start + b) for a, b in sentence_spans(p.text)))
        for p in article.passages
    ]
    source = article.record.source
    found = _in_context(article.text, source, article.passages, cuts, article.article.headings)
    return embedded(embedder, found)


def _in_context(
    text: str,
    source: Source,
    passages: Sequence[Passage],
    cuts: Sequence[Cut],
    headings: Sequence[Span],
) -> list[Understood]:
    spans = [span for cut in cuts for span in cut.sentences]
    said = iter(understand(text, spans, source.title, source.published, headings))
    return [
        Understood(
            p, tuple(next(said) for _ in cut.sentences), passage_text(p, source, cut.sentences)
        )
        for p, cut in zip(passages, cuts, strict=True)
    ]


def embedded(
    embedder: Embedder,
    passages: Sequence[Understood],
    known: Known = lambda _: {},
    *,
    sentence_vectors: bool = True,
) -> tuple[Vectors, list[Row]]:
    """Return the vectors of passages, and their rows for the catalogue.

    `known` gives, by content, what was embedded already: the vector of a
    passage and those of its sentences, packed. Raises EmbeddingError.
    """
    import numpy as np

    contents = [p.content(embedder.name) for p in passages]
    before = known(contents)
    fresh = list({c: p for c, p in zip(contents, passages, strict=True) if c not in before}.items())
    if sentence_vectors:
        new = embedder.embed_sentences([p.text for _, p in fresh])
    else:
        new = Embedding(embedder.embed_passages([p.text.text for _, p in fresh]), [])
    made = dict(before)
    for at, (content, _) in enumerate(fresh):
        parts = pack(new.sentences[at]) if new.sentences and len(new.sentences[at]) else ()
        made[content] = (new.passages[at], parts, new.injections[at] if new.injections else ())
    whole = [made[c][0] for c in contents]
    rows = [
        Row(p.passage.id, content, vector, _with_vectors(p.sentences, *made[content][1:]))
        for p, content, vector in zip(passages, contents, pack(whole), strict=True)
    ]
    return np.asarray(whole, dtype=np.float32), rows


def _with_vectors(
    sentences: Sequence[Sentence], vectors: Sequence[bytes], injections: Sequence[bool | None]
) -> tuple[Sentence, ...]:
    if len(vectors) != len(sentences):
        return tuple(sentences)
    marks = injections if len(injections) == len(sentences) else [None] * len(sentences)
    return tuple(
        replace(s, vector=v, injection=i) for s, v, i in zip(sentences, vectors, marks, strict=True)
    )
