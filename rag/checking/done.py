"""Whether what is told as done is only meant, promised or expected in what is shown.

« L'armée a remis le pouvoir » does not follow from « elle a promis de remettre le pouvoir »: the
same verb, in a form that says that it happened on one side, and only in forms that do not on the
other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.french.syntax import parse

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

_LIGHT = frozenset("être avoir faire aller venir devoir pouvoir vouloir dire".split())
_MODAL = frozenset("devoir pouvoir aller vouloir".split())


def not_done(said: str, shown: str) -> str | None:
    """Return a verb that what is said tells as done and what is shown does not, or None."""
    told = {lemma for lemma, done in _verbs(parse(said)) if done}
    theirs: dict[str, set[bool]] = {}
    for lemma, done in _verbs(parse(shown)):
        theirs.setdefault(lemma, set()).add(done)
    return next((v for v in sorted(told) if theirs.get(v) == {False}), None)


def _verbs(doc: Doc) -> list[tuple[str, bool]]:
    """Return the verbs of a parse, and whether the form of each says that it happened."""
    return [
        (token.lemma_, _done(token))
        for token in doc
        if token.pos_ == "VERB" and token.lemma_ not in _LIGHT
    ]


def _done(verb: Token) -> bool:
    form = verb.morph.get("VerbForm", [])
    if "Inf" in form:
        return False
    helpers = [c for c in verb.children if c.dep_.startswith("aux")]
    finite = next((h for h in helpers if "Fin" in h.morph.get("VerbForm", [])), verb)
    if any(h.lemma_ in _MODAL for h in helpers):
        return False
    tense, mood = finite.morph.get("Tense", []), finite.morph.get("Mood", [])
    return "Fut" not in tense and not {"Cnd", "Sub"} & set(mood)
