"""A claim or a sentence, parsed once, as comparisons read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rag.domain import Quantity
from rag.french.dates import MONTHS
from rag.french.opposites import root
from rag.french.quantities import quantities
from rag.french.syntax import parse
from rag.french.words import fold, is_grammatical, lowered

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

_CONTENT = {"NOUN", "VERB", "ADJ", "PROPN", "NUM", "ADV"}
_NEGATORS = frozenset(
    "pas jamais rien aucun aucune personne guère guere nullement ni point non".split()
)
_CALENDAR = frozenset(map(fold, MONTHS)) | frozenset(
    "lundi mardi mercredi jeudi vendredi samedi dimanche million millions milliard milliards "
    "millier milliers % euro euros".split()
)
_UNDER = frozenset("obj xcomp cop aux amod nsubj nsubj:pass".split())


@dataclass(frozen=True, slots=True)
class Word:
    """A content word: its stem, whether it is denied, whether it is a name."""

    stem: str
    surface: str
    text: str
    denied: bool
    denied_alone: bool
    name: bool
    verb: bool
    figure: bool
    main: bool
    subject: str


class Said:
    """What somebody says: a text, with what a comparison needs of it, each made once."""

    def __init__(self, text: str) -> None:
        """Take the text; nothing is parsed yet."""
        self.text = text
        self._tied: dict[int, frozenset[tuple[str, str]]] = {}

    @cached_property
    def doc(self) -> Doc:
        """The parse."""
        return parse(self.text)

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """The content words, in order."""
        return _words(self.doc)

    @cached_property
    def stems(self) -> frozenset[str]:
        """The stems of the content words."""
        return frozenset(w.stem for w in self.words)

    @cached_property
    def quantities(self) -> Sequence[Quantity]:
        """The quantities, in order."""
        return quantities(self.text)

    @cached_property
    def folded(self) -> str:
        """The text, folded."""
        return fold(self.text)

    def ties(self, steps: int) -> frozenset[tuple[str, str]]:
        """Return (word, word above it) of content words up to `steps` content words apart."""
        if steps not in self._tied:
            self._tied[steps] = _ties(self.doc, steps)
        return self._tied[steps]


def _words(doc: Doc) -> tuple[Word, ...]:
    found = []
    for token in doc:
        if not _is_content(token):
            continue
        word, verb = fold(token.text), token.pos_ == "VERB"
        name = token.pos_ == "PROPN" or (
            token.text[0].isupper() and token.i > 0 and not token.is_sent_start
        )
        subject = _subject(token) if verb else ""
        figure = token.pos_ == "NUM" or any(c.isdecimal() for c in token.text) or word in _CALENDAR
        found.append(
            Word(
                stem=key(token),
                surface=root(token.text),
                text=token.text,
                denied=_denied(token),
                denied_alone=_denied_alone(token),
                name=bool(name),
                verb=verb,
                figure=figure,
                main=not (verb and token.dep_.startswith(("acl", "amod", "advcl"))),
                subject=subject,
            )
        )
    return tuple(found)


def _subject(verb: Token) -> str:
    for child in verb.children:
        if child.dep_.startswith("nsubj"):
            agent = "pass" in child.dep_
            return ("←" if agent else "") + root(child.text)
    return ""


def _denied(token: Token) -> bool:
    """Tell whether a word is denied, by itself or by the verb that it hangs on."""
    node = token
    for _ in range(3):
        if _negated_here(node):
            return True
        if node.head.i == node.i or node.dep_ not in _UNDER:
            return False
        node = node.head
    return False


def _denied_alone(token: Token) -> bool:
    """Tell whether a word is denied while its verb is not: « mais non des tirs létaux »."""
    node, denied = token, False
    for _ in range(4):
        if node.pos_ in {"VERB", "AUX"} and node.i != token.i:
            return denied and not _negated_here(node)
        denied = denied or (node.dep_ in _UNDER | {"obl", "conj"} and _negated_here(node))
        if node.head.i == node.i:
            break
        node = node.head
    return denied


def _negated_here(token: Token) -> bool:
    # As they are written: « né » is no « ne ».
    children = [lowered(c.text).strip("'") for c in token.children]
    if any(c in _NEGATORS for c in children):
        return True
    if {"ne", "n"} & set(children):
        below = {lowered(t.text).strip("'") for t in token.subtree}
        # « ne … que » restricts, it does not deny.
        return bool(below & _NEGATORS) or not below & {"que", "qu"}
    return "sans" in {fold(c.text) for c in token.children if c.dep_ in {"case", "mark"}}


def _ties(doc: Doc, steps: int) -> frozenset[tuple[str, str]]:
    """Return (word, word above it) of content words up to `steps` content words apart."""
    found = set()
    for token in doc:
        if not _is_content(token):
            continue
        left, node = steps, token
        while left and node.head.i != node.i:
            node = node.head
            if _is_content(node):
                found.add((key(token), key(node)))
                left -= 1
    return frozenset(found)


def _is_content(token: Token) -> bool:
    word = lowered(token.text).strip("'")
    return (
        token.pos_ in _CONTENT
        and not is_grammatical(word)
        and word not in _NEGATORS
        and any(c.isalnum() for c in word)
    )


def key(token: Token) -> str:
    """Return the stem under which a word is compared: of the infinitive of a verb."""
    return root(token.lemma_) if token.pos_ == "VERB" else root(token.text)
