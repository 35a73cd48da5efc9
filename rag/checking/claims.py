"""From a text to atomic claims that can be checked, and those that cannot, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import normalize

from lxml import html
from lxml.etree import LxmlError

from rag import messages, texts
from rag.errors import QuestionError
from rag.french.language import is_foreign
from rag.french.sentences import sentence_spans
from rag.french.syntax import NOUNS, parse
from rag.french.words import fold, words

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

LONGEST_TEXT = 50_000  # characters
MOST_CLAIMS = 200
_LONGEST_CLAIM = 600
_LONGEST_TITLE = 25  # words
_ENDS = (".", "!", "?", "…", "»", '"', "”", ":", ";")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of a text. `text` stands alone; it comes from `[start, end)` of its `plain_text`.

    `problem` says in French why it cannot be checked; "" when it can.
    """

    text: str
    start: int
    end: int
    problem: str = ""


def split_claims(text: str) -> list[Claim]:
    """Return the claims of a text in order; see `claims_of`."""
    return list(claims_of(text))


def claims_of(text: str) -> Iterator[Claim]:
    """Yield the claims of a text in order, each sentence cut at its coordinated clauses.

    A subject pronoun is replaced where the previous sentence leaves no doubt.
    Questions, and what is no statement in French, are kept with the reason they
    are not checked. Raises QuestionError for a text that is empty, too long, holds
    no word or too many sentences: before anything is parsed.
    """
    if len(text) > LONGEST_TEXT:
        raise QuestionError(messages.LONG_CLAIM.format(LONGEST_TEXT))
    plain = plain_text(text)
    spans = [(a, b) for a, b in sentence_spans(plain) if words(plain[a:b])]
    if not spans:
        raise QuestionError(messages.EMPTY_CLAIM)
    if len(spans) > MOST_CLAIMS:
        raise QuestionError(messages.MANY_CLAIMS.format(MOST_CLAIMS))
    before, count = "", 0
    if title := _title(plain, spans):
        yield Claim(_flat(plain[slice(*title)]), *title, texts.IS_TITLE)
        spans = spans[1:]
    for start, end in spans:
        for claim in _claims_in(plain[start:end], start, before):
            count += 1
            if count > MOST_CLAIMS:
                raise QuestionError(messages.MANY_CLAIMS.format(MOST_CLAIMS))
            if not claim.problem:
                before = claim.text
            elif claim.problem == texts.NO_SUBJECT:
                before = ""
            yield claim


def _title(text: str, spans: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """Return where the title of a text stands, None without one.

    It is a first line that ends without a sign, above several sentences that end with one.
    """
    (start, end), rest = spans[0], spans[1:]
    line = text[start:end].strip()
    alone = "\n" in text[end : rest[0][0]] if rest else False
    if not alone or line.endswith(_ENDS) or len(line.split()) > _LONGEST_TITLE:
        return None
    ended = [text[a:b].rstrip().endswith(_ENDS) for a, b in rest]
    return (start, end) if len(ended) > 1 and all(ended) else None


def _claims_in(sentence: str, start: int, before: str) -> Iterator[Claim]:
    """Yield the claims of a sentence, which begins at `start`; `before` is the last claim."""
    if len(sentence) > _LONGEST_CLAIM:  # not parsed: what is long may be anything
        yield Claim(_flat(sentence), start, start + len(sentence), texts.TOO_LONG)
        return
    doc = parse(sentence)
    if problem := _problem(sentence, doc):
        yield Claim(_flat(sentence), start, start + len(sentence), problem)
        return
    for piece, a, b in _clauses(sentence, doc):
        resolved = _resolved(piece, before)
        unclear = texts.NO_SUBJECT if _pronoun(resolved) else ""
        first, last = _trimmed(sentence, a, b)
        yield Claim(_flat(resolved), start + first, start + last, unclear)
        before = "" if unclear else resolved


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span without the white space at its ends."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def plain_text(text: str) -> str:
    """Return what is checked of a text: the text of HTML, anything else as it is, without NUL."""
    if not _TAG.search(text):
        return text.replace("\0", " ")
    try:
        found = str(html.fromstring(f"<div>{text}</div>").text_content())
    except (LxmlError, ValueError):
        found = _TAG.sub(" ", text)
    return found.replace("\0", " ")


def _problem(sentence: str, doc: Doc) -> str:
    """Return why a sentence cannot be checked, or ""."""
    folded = fold(sentence).strip(" \n\t«»\"'—-–•*")
    tokens = words(sentence)
    if folded.rstrip(" »\"'").endswith("?"):
        return texts.IS_QUESTION
    if is_foreign(sentence):
        return texts.NOT_FRENCH
    verbless = not any(t.pos_ in {"VERB", "AUX"} for t in doc)
    # « Elle dénonce des pressions »: the parser takes the verb for a noun, the pronoun tells.
    if len(tokens) < 3 or (verbless and len(tokens) < 5 and not _pronoun(sentence)):
        return texts.NO_STATEMENT
    return ""


def _clauses(sentence: str, doc: Doc) -> list[tuple[str, int, int]]:
    """Return (text, start, end) of each coordinated clause, a shared subject repeated."""
    root = next((t for t in doc if t.dep_ == "ROOT"), None)
    whole = [(sentence, 0, len(sentence))]
    if root is None or "«" in sentence:
        return whole
    subject = next((c for c in root.children if c.dep_.startswith("nsubj")), None)
    cuts = [t for t in doc if t.dep_ == "conj" and _cuts(t, root)]
    if not cuts or subject is None:
        return whole
    subject_text = _text(sentence, list(subject.subtree))
    starts, stops = [(0, "")], []
    for verb in cuts:
        joint = next(t for t in verb.subtree if t.dep_ == "cc")
        own = any(c.dep_.startswith("nsubj") for c in verb.children)
        stops.append(joint.idx)
        starts.append((joint.idx + len(joint), "" if own else subject_text))
    stops.append(len(sentence))
    clauses = []
    frame = re.match(r"(?:Selon|D['’]après) [^,]{2,60},", sentence)
    for (start, shared), stop in zip(starts, stops, strict=True):
        clause = sentence[start:stop].strip(" ,;.\n")
        text = f"{shared} {clause}" if shared else clause
        if start and frame:
            text = f"{frame.group()} {text[:1].lower()}{text[1:]}"
        clauses.append((f"{text[:1].upper()}{text[1:]}.", start, stop))
    return clauses if all(len(words(t)) >= 3 for t, _, _ in clauses) else whole


def _cuts(token: Token, root: Token) -> bool:
    """Tell whether a coordinated verb starts a claim of its own."""
    if not (_is_clause(token) and _joined_by_and(token)):
        return False
    if token.head.i == root.i:
        return True
    # « ont dû quitter leur logement et deux personnes ont été blessées »
    own = any(c.dep_.startswith("nsubj") for c in token.children)
    return own and token.head.head.i == root.i and token.head.dep_ in {"xcomp", "ccomp", "conj"}


def _is_clause(token: Token) -> bool:
    """Tell whether a coordinated word is a finite clause with a complement of its own."""
    finite = token.morph.get("VerbForm", []) == ["Fin"] or any(
        c.dep_ in {"aux:tense", "aux:pass", "cop"} for c in token.children
    )
    complete = any(c.dep_ in {"obj", "obl", "obl:arg", "obl:mod", "xcomp", "ccomp", "nsubj",
                              "nsubj:pass", "cop", "advmod"} for c in token.children)  # fmt: skip
    return finite and complete


def _joined_by_and(token: Token) -> bool:
    return any(c.dep_ == "cc" and c.text.lower() in {"et", "mais"} for c in token.subtree) and any(
        c.dep_ == "cc" for c in token.children
    )


def _pronoun(claim: str) -> re.Match[str] | None:
    """Return the personal pronoun that a claim begins with, « il y a » and such left out."""
    return re.match(
        r"(Il|Elle|Ils|Elles) (?!(?:n['’])?y (?:a|avait|aura|aurait)\b|(?:a |avait )?fall(?:ait|u|ut)\b|faut\b|faudra|(?:n['’])?exist(?:e|ait)\b|s['’]agit\b|(?:a |avait )?(?:plu|neigé|gelé)\b|pleu(?:t|vra|vait)\b|est (?:vrai|faux|(?:im)?possible|interdit d(?:e |['’])\w+[ei]r)\b|fait )",
        claim,
    )


def _resolved(claim: str, before: str) -> str:
    """Replace a subject pronoun by the only noun phrase it can stand for, or return as it is."""
    match = _pronoun(claim)
    if not match or not before:
        return claim
    gender = "Masc" if match[1].startswith("Il") else "Fem"
    number = "Plur" if match[1].endswith("s") else "Sing"
    doc = parse(before)
    subjects = [t for t in doc if t.dep_.startswith("nsubj") and t.pos_ in NOUNS]
    fitting = [t for t in subjects if _agrees(t, gender, number)]
    # Of several, what the sentence is about: the subject of its main verb.
    subject = next((t for t in fitting if t.head.dep_ == "ROOT"), None)
    if subject is None or any(t.head.dep_ == "ROOT" for t in fitting if t.i != subject.i):
        return claim
    if len(fitting) > 1 and subject.pos_ != "PROPN":
        return claim
    name = _text(before, list(subject.subtree)).rstrip(" ,")
    if len(name.split()) > 8:
        return claim
    return f"{name[:1].upper()}{name[1:]} {claim[match.end() :]}"


def _agrees(noun: Token, gender: str, number: str) -> bool:
    """Tell whether a pronoun of a gender and number may stand for a noun.

    The gender that the parser gives to a name says little: it goes by its ending. That of a noun's
    article says more than its own.
    """
    its_gender, its_number = noun.morph.get("Gender", []), noun.morph.get("Number", [])
    article = [g for t in noun.children if t.dep_ == "det" for g in t.morph.get("Gender", [])]
    if noun.pos_ == "PROPN":
        its_gender = []
    elif article and its_number == ["Sing"]:
        its_gender = article
    return its_gender in ([], [gender]) and its_number in ([], [number])


def _text(source: str, tokens: list[Token]) -> str:
    return source[tokens[0].idx : tokens[-1].idx + len(tokens[-1])]


def _flat(text: str) -> str:
    """Return a text on one line; a claim's letters each with its accent, as comparisons want it."""
    flat = " ".join(text.split())
    return normalize("NFC", flat) if len(flat) <= 2 * _LONGEST_CLAIM else flat
