"""What is made of an article when it is indexed: passages, sentences, vectors; each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from rag.domain import Article, Attribution, Kind, Passage, Sentence, Source, StoredArticle
from rag.french.gender import fits, of_name, of_speaker
from rag.french.reading import understand
from rag.french.sentences import Span, sentence_spans
from rag.french.speakers import is_individual
from rag.french.speech import QUOTATION, attributions
from rag.french.words import content_stems
from rag.indexing.catalogue import Row
from rag.indexing.passages import Cut, make_passages, passage_text, split
from rag.models.embedding import Embedding, PassageText, Voice
from rag.models.packing import pack

if TYPE_CHECKING:
    from rag.models.embedding import Embedder, Vectors

# Raise it when what is made of a passage changes: nothing of before serves again
_CACHE_VERSION = 3
# How much the words of a sentence add to the probability that its passage gives to a kind; the
# probability of a name below which another one that the sentence gives goes before, and any other.
# By written press that neither had seen, see docs/verify.md.
_WORDS, _NAMED, _UNSURE = 0.5, 0.3, 0.05
_WORDS_BESIDE = 3  # words that a name may have beside the one that the sentence gives


class MadeVectors(NamedTuple):
    """What was made of a passage and serves again.

    Its vector; of each of its sentences the vector in 8 bits, whether it speaks to a machine, and
    who says it, as far as these are known.
    """

    vector: Vectors
    sentences: Sequence[bytes] = ()
    injections: Sequence[bool | None] = ()
    attributions: Sequence[Attribution] = ()


Embedded = dict[bytes, MadeVectors]
CachedVectors = Callable[[Sequence[bytes]], Embedded]


@dataclass(frozen=True, slots=True)
class Understood:
    """A passage with its sentences, not embedded yet, and what is to be embedded for it."""

    passage: Passage
    sentences: tuple[Sentence, ...]
    text: PassageText

    def content(self, embedding: str) -> bytes:
        """Return what tells passages whose vectors by one embedder are the same: 16 bytes."""
        key = repr(
            (_CACHE_VERSION, embedding, self.text.text, self.text.sentences, self.text.title)
        )
        return blake2b(key.encode(errors="replace"), digest_size=16).digest()


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
    return embed_understood(embedder, found)


def _in_context(
    text: str,
    source: Source,
    passages: Sequence[Passage],
    cuts: Sequence[Cut],
    headings: Sequence[Span],
) -> list[Understood]:
    spans = [span for cut in cuts for span in cut.sentences]
    sentences = iter(understand(text, spans, source.title, source.published, headings))
    return [
        Understood(
            p, tuple(next(sentences) for _ in cut.sentences), passage_text(p, source, cut.sentences)
        )
        for p, cut in zip(passages, cuts, strict=True)
    ]


def embed_understood(
    embedder: Embedder,
    passages: Sequence[Understood],
    cached: CachedVectors = lambda _: {},
    *,
    sentence_vectors: bool = True,
) -> tuple[Vectors, list[Row]]:
    """Return the vectors of passages, and their rows for the catalogue.

    `cached` gives, by content, what was embedded already: the vector of a
    passage and those of its sentences, packed. Raises EmbeddingError.
    """
    import numpy as np

    contents = [p.content(embedder.name) for p in passages]
    before = cached(contents)
    fresh = list({c: p for c, p in zip(contents, passages, strict=True) if c not in before}.items())
    if sentence_vectors:
        new = embedder.embed_sentences([p.text for _, p in fresh])
    else:
        new = Embedding(embedder.embed_passages([p.text.text for _, p in fresh]), [])
    made = dict(before)
    for at, (content, p) in enumerate(fresh):
        parts = pack(new.sentences[at]) if new.sentences and len(new.sentences[at]) else ()
        made[content] = MadeVectors(
            new.passages[at],
            parts,
            new.injections[at] if new.injections else (),
            voiced(p.text, [s.attribution for s in p.sentences], new.voices[at])
            if new.voices
            else (),
        )
    whole = [made[c].vector for c in contents]
    rows = [
        Row(p.passage.id, content, vector, _with(p.sentences, made[content]))
        for p, content, vector in zip(passages, contents, pack(whole), strict=True)
    ]
    return np.asarray(whole, dtype=np.float32), rows


def _with(sentences: Sequence[Sentence], made: MadeVectors) -> tuple[Sentence, ...]:
    if len(made.sentences) != len(sentences):
        return tuple(sentences)
    marks, attributions = made.injections, made.attributions
    if len(marks) != len(sentences):
        marks = [None] * len(sentences)
    if len(attributions) != len(sentences):
        attributions = [s.attribution for s in sentences]
    return tuple(
        replace(s, vector=v, injection=i, attribution=a)
        for s, v, i, a in zip(sentences, made.sentences, marks, attributions, strict=True)
    )


def voiced(
    passage: PassageText, words: Sequence[Attribution], voices: Sequence[Voice]
) -> list[Attribution]:
    """Return who says the sentences of a passage, by their words and by what the passage tells."""
    if not len(words) == len(voices) == len(passage.sentences):
        return list(words)
    return [
        _voiced(passage.text[a:b], w, v, passage.text[:a])
        for (a, b), w, v in zip(passage.sentences, words, voices, strict=True)
    ]


def _voiced(sentence: str, words: Attribution, voice: Voice, before: str) -> Attribution:
    likely = dict(zip(Kind, (voice.fact, voice.statement, voice.hearsay), strict=True))
    likely[words.kind] += _WORDS
    kind = max(likely, key=lambda k: likely[k])
    marker = words.marker if kind is words.kind else ""
    if kind is not Kind.STATEMENT:
        return Attribution(kind, marker=marker)
    # « selon Clark » names who speaks; whose a quotation is, or who « il » is, the passage tells.
    named = words.marker != QUOTATION and words.speaker in sentence
    another = not set(content_stems(words.speaker)) & set(content_stems(voice.speaker))
    sure = voice.sureness >= (_NAMED if named and another else _UNSURE)
    if named and words.speaker in voice.speaker:  # « Michael Bloomberg pense que Barack Obama »
        sure = len(voice.speaker.split()) <= len(words.speaker.split()) + _WORDS_BESIDE
    speakers = [voice.speaker, words.speaker] if sure else [words.speaker, voice.speaker]
    speaker = next(filter(None, speakers), "")
    gender = of_speaker(sentence, marker)
    if gender and speaker not in sentence:
        speaker = _referent(gender, speakers, voice.speaker, before)
    return Attribution(kind, speaker, marker)


def _referent(gender: str, speakers: Sequence[str], pointed: str, before: str) -> str:
    """Return, of possible speakers, the first whom « il » or « elle » may stand for; "" for none.

    An institution that is named after the pronoun only, and `pointed` at, is not; nor is one where
    a person of that gender is named since.
    """
    able = [
        who
        for who in filter(None, speakers)
        if fits(who, gender, before) and (who != pointed or is_individual(who) or who in before)
    ]
    first = next(iter(able), "")
    if is_individual(first):
        return first
    since = (
        who
        for who in able
        if is_individual(who)
        and of_name(who, before) == gender
        and before.rfind(who) > before.rfind(first)
    )
    return next(since, first)


def attributions_by(
    embedder: Embedder, text: str, spans: Sequence[Span], title: str = ""
) -> list[Attribution]:
    """Return who says the sentences that `spans` cut out of a text, read as one passage.

    Raises EmbeddingError.
    """
    head = f"{title}\n" if title else ""
    moved = tuple((a + len(head), b + len(head)) for a, b in spans)
    passage = PassageText(head + text, moved, title)
    voices = embedder.embed_sentences([passage]).voices
    words = attributions(text, spans, title)
    return voiced(passage, words, voices[0]) if voices else words
