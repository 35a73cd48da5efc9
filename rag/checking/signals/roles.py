"""Who does what: the same verb with another agent, or another patient, on both sides.

« La Macédoine a bloqué Athènes » does not follow from « Athènes a bloqué la Macédoine »: what is
the subject on one side stands elsewhere on the other, where the verb has another subject. The
passive is turned: who is « battu par » somebody is the object. An infinitive has no agent here: to
give it that of « doit » or « veut » met as many claims that follow as claims that do not (press).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rag import texts
from rag.checking.signals.modality import verbs
from rag.domain import Side, Signal, SignalName
from rag.french.opposites import root
from rag.french.syntax import NOUNS
from rag.french.words import same_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spacy.tokens import Doc, Token

    from rag.checking.signals.pair import Pair


class _Event(NamedTuple):
    """A verb with its agent and patient: the stems of their nouns, the head first."""

    verb: Token
    agent: tuple[str, ...]
    patient: tuple[str, ...]


def find(pair: Pair) -> Signal | None:
    """Return a verb with another agent or patient."""
    verb = other_role(*pair.docs)
    return Signal(SignalName.ROLES, texts.OTHER_ROLE.format(verb), Side.AGAINST) if verb else None


def other_role(hypothesis: Doc, premise: Doc) -> str | None:
    """Return the hypothesis's verb whose agent or patient is another in the premise, as written."""
    nouns = {root(t.text) for t in premise if t.pos_ in NOUNS}
    theirs: dict[str, list[_Event]] = {}
    for event in _all(premise):
        theirs.setdefault(event.verb.lemma_, []).append(event)
    for mine in _all(hypothesis):
        others = theirs.get(mine.verb.lemma_, [])
        agents, patients = [o.agent for o in others], [o.patient for o in others]
        if _another(mine.agent, agents, nouns) or _another(mine.patient, patients, nouns):
            return str(mine.verb.text)
    return None


def _another(mine: Sequence[str], theirs: Sequence[Sequence[str]], nouns: Iterable[str]) -> bool:
    """Tell whether a part is another than all of theirs, and stands elsewhere among `nouns`."""
    others = {stem for part in theirs for stem in part}
    if not mine or not others or not any(same_root(mine[0], noun) for noun in nouns):
        return False
    return not any(same_root(a, b) for a in mine for b in others)


def _all(doc: Doc) -> list[_Event]:
    return [_event(verb) for verb in verbs(doc)]


def _event(verb: Token) -> _Event:
    agent, patient = _noun(verb, "nsubj"), _noun(verb, "obj")
    if any(child.dep_ == "nsubj:pass" for child in verb.children):
        agent, patient = _noun(verb, "obl:agent"), _noun(verb, "nsubj:pass")
    return _Event(verb, _stems(agent), _stems(patient))


def _noun(verb: Token, dependency: str) -> Token | None:
    """Return the first noun that depends on a verb in a way."""
    found = (c for c in verb.children if c.dep_ == dependency and c.pos_ in NOUNS)
    return next(found, None)


def _stems(head: Token | None) -> tuple[str, ...]:
    if head is None:
        return ()
    return (root(head.text), *(root(t.text) for t in head.subtree if t.pos_ in NOUNS))
