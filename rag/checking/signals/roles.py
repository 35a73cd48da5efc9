"""Who does what: the same verb with another doer, or another thing done to, on both sides.

« La Macédoine a bloqué Athènes » does not follow from « Athènes a bloqué la Macédoine »: what is
the subject on one side stands elsewhere on the other, where the verb has another subject. The
passive is turned: who is « battu par » somebody is the object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rag import texts
from rag.checking.signals.modality import verbs
from rag.domain import Side, Signal, SignalName
from rag.french.opposites import root
from rag.french.words import same_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spacy.tokens import Doc, Token

    from rag.checking.signals.pair import Pair

_NOUNS = frozenset({"NOUN", "PROPN"})


class _Done(NamedTuple):
    """A verb with its doer and what it is done to: the stems of their nouns, the head first."""

    verb: str
    doer: tuple[str, ...]
    done_to: tuple[str, ...]


def find(pair: Pair) -> Signal | None:
    """Return a verb with another doer or object."""
    verb = other_role(*pair.docs)
    return Signal(SignalName.ROLES, texts.OTHER_ROLE.format(verb), Side.AGAINST) if verb else None


def other_role(said: Doc, shown: Doc) -> str | None:
    """Return the verb of which what is said has another doer or object than what is shown."""
    nouns = {root(t.text) for t in shown if t.pos_ in _NOUNS}
    given: dict[str, list[_Done]] = {}
    for done in _all(shown):
        given.setdefault(done.verb, []).append(done)
    for mine in _all(said):
        others = given.get(mine.verb, [])
        doers, objects = [o.doer for o in others], [o.done_to for o in others]
        if _another(mine.doer, doers, nouns) or _another(mine.done_to, objects, nouns):
            return mine.verb
    return None


def _another(mine: Sequence[str], theirs: Sequence[Sequence[str]], nouns: Iterable[str]) -> bool:
    """Tell whether a part is another than all of theirs, and stands elsewhere among `nouns`."""
    others = {stem for part in theirs for stem in part}
    if not mine or not others or not any(same_root(mine[0], noun) for noun in nouns):
        return False
    return not any(same_root(a, b) for a in mine for b in others)


def _all(doc: Doc) -> list[_Done]:
    return [_done(verb) for verb in verbs(doc)]


def _done(verb: Token) -> _Done:
    parts: dict[str, Token] = {}
    for child in verb.children:
        parts.setdefault(child.dep_, child)
    doer, done_to = parts.get("nsubj"), parts.get("obj")
    if "nsubj:pass" in parts:
        doer, done_to = parts.get("obl:agent"), parts["nsubj:pass"]
    return _Done(verb.lemma_, _stems(doer), _stems(done_to))


def _stems(head: Token | None) -> tuple[str, ...]:
    if head is None or head.pos_ not in _NOUNS:
        return ()
    return (root(head.text), *(root(t.text) for t in head.subtree if t.pos_ in _NOUNS))
