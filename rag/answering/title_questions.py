"""Whether what a title states is so, as a question.

The title stands in it word for word, after « est-ce que », which turns no verb round: one that is
no plain clause, its subject first, gives no question.
"""

from __future__ import annotations

import re

from rag.french.anaphora import has_unresolved_anaphora
from rag.french.syntax import parse
from rag.french.words import fold

_SHORTEST, _LONGEST = 5, 16  # words of a title
# Of more than one plain clause, or of one that says no.
_APART = re.compile(r"[«»“”\"():;,\[\]?!…–—]|\s-\s|\b[Nn](?:e\s|['’])")
# What says when by the day of publication, or who and what by what is read beside it.
_RELATIVE = re.compile(
    r"\b(?:hier|demain|aujourd'hui|(?:ce|cette|cet|ces) \w+|\w+di|(?:prochain|dernier|suivant)e?s?"
    r"|je|j'|nous|notre|nos|on|ici|aussi|alors|son|sa|ses|leurs?|y|lui|memes?|autres?"
    r"|(?:les|des) (?:deux|trois))\b"
)
_ARTICLE = re.compile(r"(?:Le|La|Les|Une?|Des)\s|L['’]")
_NAME = re.compile(r"\b[A-ZÀ-Þ]")  # without one, « le tribunal » may be any
_PARTICIPLE = re.compile(r"[éu]e?s?$")  # « Un lynx photographié », whatever is parsed
_FINITE = "VerbForm=Fin"
_AUXILIARIES = frozenset({"aux", "aux:tense", "aux:pass", "cop"})
_SUBJECTS = frozenset({"nsubj", "nsubj:pass"})


def whether(title: str) -> str:
    """Return the question that a title gives, "" for one that states nothing by itself."""
    clause = title.rstrip(". ")
    opening = _ARTICLE.match(clause)
    if (
        not opening
        or not _SHORTEST <= len(clause.split()) <= _LONGEST
        or not _NAME.search(clause, opening.end())
        or _APART.search(clause)
        or _RELATIVE.search(fold(clause))
        or has_unresolved_anaphora(clause)
        or not _begins_by_its_subject(clause)
    ):
        return ""
    lowered = clause[0].lower() + clause[1:]
    return f"Est-ce {'qu’' if lowered.startswith('un') else 'que '}{lowered}\u202f?"


def _begins_by_its_subject(clause: str) -> bool:
    """Tell whether a clause is a subject that is named, then its verb in a finite mood."""
    parsed = parse(f"{clause}.")
    root = next((t for t in parsed if t.dep_ == "ROOT"), None)
    if root is None:
        return False
    beside = [c for c in root.children if c.dep_ in _AUXILIARIES]
    finite = any(_FINITE in str(verb.morph) for verb in (root, *beside))
    subject = next((c for c in root.children if c.dep_ in _SUBJECTS), None)
    return (
        finite
        and (bool(beside) or not _PARTICIPLE.search(root.text))
        and subject is not None
        and subject.pos_ in {"NOUN", "PROPN"}
        and min(t.i for t in subject.subtree) == 0
        and not any(t.dep_ in {"conj", "parataxis"} and t.pos_ == "VERB" for t in root.children)
    )
