"""What a question wants: one fact, an overview, articles, somebody's words, or several things.

The forms are few and closed, read once off the folded question; what is left of it is the topic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.french.words import content_stems, fold

# On folded text; what they match does not say what the question is about.
_ASKED = re.compile(
    r"\b(?:qu(?:e |'))?(?:est-ce qui |est-ce qu')?(?:s'est-il|se passe-t-il|c'est-il|s'est il|"
    r"il s'est|(?<!ou )(?<!quand )s'est)(?: donc)? passe(?:e)?(?: quoi)?\b"
    r"|\bque se passe-t-il\b|\bcomment se passe(?:nt)?\b"
    r"|\bqu'est(?:-il)? arrive(?:-t-il)?\b|\bqu'est-il arrive\b"
    r"|\b(?:que|qu'est-ce qu'on|qu'est-ce que l'on) (?:sait-on|sait)\b|\bon (?:en )?sait quoi\b"
    r"|\b(?:ou|a quoi) en (?:est|sont)(?:-(?:on|il|elle|ils|elles))?\b"
    r"|\bc'est quoi (?:l'histoire|l'affaire)\b"
    r"|\b(?:resume[rz]?(?:-moi)?|raconte[rz]?(?:-moi)?|(?:fais|faire|faites)(?:-moi)? le point"
    r"|le point|un resume|explique[rz]?(?:-moi)?)\b(?: (?:sur|de|d'))?"
    r"|\bde quoi (?:parle|traite|est-il question)\b|\bque dis(?:ent|ait) (?:les|l')articles?\b"
    r"|\bde quoi\b(?=.* accuse)|\bon (?:l'|les )?accuse de quoi\b"
    r"|\bqu'est-ce qu'on reproche\b|\bque reproche-t-on\b"
    r"|\bquoi de neuf\b|\bquelles sont les (?:dernieres )?(?:nouvelles|informations)\b"
)
_FEW = "un|deux|trois|quatre|cinq|six|sept|huit|neuf|dix"
_MANY = re.compile(rf"\b({_FEW}|\d\d?) (?:derniers |premiers )?articles?\b")
_LISTED = re.compile(
    r"\b(?:quels? |lesquels? |listes?(?:r|z)?(?: (?:les|des|d'))? ?|cite[rz]?(?:-moi)? les "
    r"|combien d' ?|trouve[rz]?(?:-moi)?(?: les| des)? )articles?\b"
    r"(?: (?:qui )?(?:parlent|parle|traitent|traite|evoquent|mentionnent|concernent))?"
    r"(?: (?:de|d'|du|des|sur))?"
    r"|\bque disent (?:les|tes|vos) articles?\b(?: (?:sur|de|d'|du|des|a propos de))?"
    r"|\b(?:y a-t-il|avez-vous|as-tu|tu as|vous avez)"
    r" (?:(?:des|un|quelques) articles?|quelque chose)\b"
    r"(?: (?:sur|a propos de|qui parlent? de))?"
    rf"|\b(?:donne|montre|trouve)[rz]?(?:[- ]moi)? (?:(?:les|des|{_FEW}|\d\d?) )?articles?\b"
    r"(?: (?:qui (?:parlent|parle|traitent) )?(?:sur|de|d'|du|des))?"
)
_SAID = re.compile(
    r"\b(?:qu'|que |qu'est-ce qu'|qu'est-ce que )(?:a |ont |avait |avaient )?(?:bien )?"
    r"(?:(?:a|ont)-t-(?:il|elle|on|ils|elles) )?"
    r"(?:dit|disent|dis|declare(?:nt)?|affirme(?:nt)?|annonce(?:nt)?|repond(?:u|ent)?|explique(?:nt)?"
    r"|promet(?:tent)?|promis|raconte(?:nt)?|pense(?:nt)?|demande(?:nt)?|reclame(?:nt)?"
    r"|reproche(?:nt)?|dit-(?:il|elle))\b"
)
_SEVERAL = re.compile(
    r"\b(?:(?:les)?quel(?:le)?s|qui (?:sont|etaient|furent)|cite[rz]?|liste[rz]?|enumere[rz]?)\b"
    r"|\bdonne[rz]?(?:-moi)? (?:la liste|les noms)\b"
)
_GENERIC = frozenset(
    content_stems(
        "affaire histoire point article sujet événement situation ensuite actualité actu nouvelles"
    )
)


@dataclass(frozen=True, slots=True)
class Intent:
    """What a question wants; nothing of it is set for one that asks for a fact.

    `overview`: what happened, or where things stand. `articles`: which ones speak of something, and
    `count` how many of them, None where it does not say. `words`: what somebody said. `several`: an
    interrogative in the plural, a list. `topic` are the stems of what is left.
    """

    overview: bool = False
    articles: bool = False
    words: bool = False
    several: bool = False
    count: int | None = None
    topic: frozenset[str] = frozenset()


def intent_of(question: str) -> Intent:
    """Return what a French question wants."""
    folded = left = fold(question)
    for pattern in (_ASKED, _LISTED, _SAID):
        left = pattern.sub(" ", left)
    many = _MANY.search(folded)
    count = None
    if many:
        count = int(many[1]) if many[1].isdigit() else 1 + _FEW.split("|").index(many[1])
    return Intent(
        overview=bool(_ASKED.search(folded)),
        articles=bool(_LISTED.search(folded)),
        words=bool(_SAID.search(folded)),
        several=bool(_SEVERAL.search(folded)),
        count=count,
        topic=frozenset(content_stems(left)) - _GENERIC,
    )
