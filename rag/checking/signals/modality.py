"""Whether what the hypothesis states as done is only meant, promised or expected in the premise.

« L'armée a remis le pouvoir » does not follow from « elle a promis de remettre le pouvoir »: the
same verb, in a form that says that it happened on one side, and only in forms that do not on the
other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag import texts
from rag.domain import Side, Signal, SignalName
from rag.french.conditional import is_conditional

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

    from rag.checking.signals.pair import Pair

_LIGHT = frozenset("être avoir faire aller venir devoir pouvoir vouloir dire".split())
_MODAL = frozenset("devoir pouvoir aller vouloir".split())
# An infinitive below these, or after these words, happened or says nothing of it.
_DID = frozenset(
    "réussir parvenir venir finir devoir commencer continuer cesser faire laisser permettre".split()
)
_MARKS = frozenset("après avant pour sans".split())


def find(pair: Pair) -> Signal | None:
    """Return a verb that the hypothesis states as done and the premise does not."""
    verb = irrealis_verb(*pair.docs)
    if verb is None:
        return None
    # « aurait été tué » is neither planned nor wished for.
    hearsay = any(v.lemma_ == verb and is_conditional(v.sent.text) for v in verbs(pair.docs[1]))
    text = texts.NOT_SURE if hearsay else texts.NOT_DONE
    return Signal(SignalName.MODALITY, text.format(verb), Side.AGAINST)


def irrealis_verb(hypothesis: Doc, premise: Doc) -> str | None:
    """Return a verb that the hypothesis has as done and the premise only as irrealis, or None."""
    past = {v.lemma_ for v in verbs(hypothesis) if _happened(v)}
    theirs: dict[str, set[bool]] = {}
    for verb in verbs(premise):
        theirs.setdefault(verb.lemma_, set()).add(_may_have(verb))
    return next((v for v in sorted(past) if theirs.get(v) == {False}), None)


def verbs(doc: Doc) -> list[Token]:
    """Return the verbs of a parse that say something by themselves."""
    return [t for t in doc if t.pos_ == "VERB" and t.lemma_ not in _LIGHT]


def _happened(verb: Token) -> bool:
    """Tell whether the form of a verb says that it happened: a past tense that nothing denies."""
    denied = any(c.text.lower() in {"ne", "n'", "n’"} for c in verb.children)
    finite = _finite(verb)
    past = finite.i != verb.i or bool({"Past", "Imp"} & set(finite.morph.get("Tense", [])))
    return not denied and past and "Inf" not in verb.morph.get("VerbForm", []) and _may_have(verb)


def _may_have(verb: Token) -> bool:
    """Tell whether the form of a verb leaves room for its having happened."""
    if "Inf" in verb.morph.get("VerbForm", []):
        marks = {c.text.lower() for c in verb.children if c.dep_ in {"mark", "case"}}
        return verb.head.lemma_ in _DID or bool(marks & _MARKS)
    if any(c.dep_.startswith("aux") and c.lemma_ in _MODAL for c in verb.children):
        return False
    finite = _finite(verb)
    tense, mood = finite.morph.get("Tense", []), finite.morph.get("Mood", [])
    return "Fut" not in tense and not {"Cnd", "Sub"} & set(mood)


def _finite(verb: Token) -> Token:
    helpers = (c for c in verb.children if c.dep_.startswith("aux"))
    return next((h for h in helpers if "Fin" in h.morph.get("VerbForm", [])), verb)
