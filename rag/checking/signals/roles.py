"""Who does what: the same verb with another agent, or another patient, on both sides.

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
from rag.french.syntax import NOUNS
from rag.french.words import same_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spacy.tokens import Doc, Token

    from rag.checking.signals.pair import Pair


class _Event(NamedTuple):
    """A verb with its agent and patient: the stems of their nouns, the head first."""

    verb: str
    agent: tuple[str, ...]
    patient: tuple[str, ...]


def find(pair: Pair) -> Signal | None:
    """Return a verb with another agent or patient."""
    verb = other_role(*pair.docs)
    return Signal(SignalName.ROLES, texts.OTHER_ROLE.format(verb), Side.AGAINST) if verb else None


def other_role(hypothesis: Doc, premise: Doc) -> str | None:
    """Return the verb whose agent or patient differs between hypothesis and premise."""
    nouns = {root(t.text) for t in premise if t.pos_ in NOUNS}
    theirs: dict[str, list[_Event]] = {}
    for event in _all(premise):
        theirs.setdefault(event.verb, []).append(event)
    for mine in _all(hypothesis):
        others = theirs.get(mine.verb, [])
        agents, patients = [o.agent for o in others], [o.patient for o in others]
        if _another(mine.agent, agents, nouns) or _another(mine.patient, patients, nouns):
            return mine.verb
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
    parts: dict[str, Token] = {}
    for child in verb.children:
        parts.setdefault(child.dep_, child)
    agent, patient = parts.get("nsubj"), parts.get("obj")
    if "nsubj:pass" in parts:
        agent, patient = parts.get("obl:agent"), parts["nsubj:pass"]
    return _Event(verb.lemma_, _stems(agent), _stems(patient))


def _stems(head: Token | None) -> tuple[str, ...]:
    if head is None or head.pos_ not in NOUNS:
        return ()
    return (root(head.text), *(root(t.text) for t in head.subtree if t.pos_ in NOUNS))
