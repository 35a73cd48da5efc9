"""Statements out of questions and their answers: « Qui a peint X ? » and « Y » → « Y a peint X ».

Rules on the words of the question, so that its author's wording stays: a paraphrase of the passage
by somebody who read it. What no rule turns into a sentence is left out.
"""

from __future__ import annotations

import re

_CLITIC = r"[ -](?:t[ '’-]+)?(?:il|elle|ils|elles|on)\b"
_COPULA = r"(?:est|sont|était|étaient|fut|furent|sera|seront)"
_DETERMINED = r"(?:(?:le|la|les|un|une|son|sa|ses|leurs?|ce|cette)\s|l['’]\s?)"
_VERB = (
    r"(?:(?:n['’e]\s?|s['’e]\s?|l['’a]\s?|en |y )?(?:a|ont|avait|avaient|eut|"
    rf"{_COPULA}|doit|peut|va|vont|\w{{3,}}(?:e|ent|ait|aient|a|èrent|it|irent|ut|urent)))"
)
_WH = (
    r"(?:quand|où|comment|(?:depuis|jusqu['’]à|de) quand|combien de temps|"
    r"(?:en|à|dans|pour|avec|par|sur|depuis|de|vers|chez|contre|durant|pendant|selon) "
    r"(?:quel(?:le)?s? [\w’-]+(?: (?:de|d['’]) ?[\w’-]+)?|qui|quoi))"
)
_SUBJECT = re.compile(
    r"^(?:qui est[ -]ce qui|qu['’]est[ -]ce qui|qui)\s+(?P<rest>.+)$", re.IGNORECASE
)
_WHICH_IS = re.compile(
    rf"^(?:quel(?:le)?s?|qui|qu['’]) ?(?P<verb>{_COPULA}) (?P<rest>{_DETERMINED}.+)$", re.IGNORECASE
)
_WHAT_IS = re.compile(
    r"^(?:qu['’]est[ -]ce qu(?:e|['’]) ?|c['’]est quoi |qui (?:est|était) )(?P<rest>\S.+)$",
    re.IGNORECASE,
)
_WHICH = re.compile(
    rf"^quel(?:le)?s? (?P<noun>[\w’-]+(?: (?:de |d['’])?[\w’-]+)?) (?P<rest>{_VERB} .+)$",
    re.IGNORECASE,
)
_INVERTED = re.compile(
    rf"^(?P<wh>{_WH}) (?P<subject>.+?) (?P<verb>(?:ne |n['’]|se |s['’]|l['’]|y |en )?[\wÀ-ÿ]+)"
    rf"{_CLITIC}(?P<rest>.*)$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    rf"^(?P<wh>{_WH}) (?P<verb>(?:se |s['’])?"
    r"(?!(?:la|le|les|un|une|ne|se|son|sa|ses|que|qu)\b)(?-i:[a-zà-ÿ]{3,})"
    r"(?: (?-i:[a-zà-ÿ]+(?:ée?s?|ue?s?|ie?s?|ite?|te|rte?)))?) "
    rf"(?P<subject>(?:{_DETERMINED}|(?-i:[A-ZÀ-Þ])).+)$",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    rf"^combien (?:de |d['’] ?)(?P<noun>[\w’-]+(?: [\w’-]+)?) (?P<rest>{_VERB} .+)$", re.IGNORECASE
)
_LEFT = re.compile(
    r"\?|\b(?:quel(?:le)?s?|combien|pourquoi)\b|-(?:t-)?(?:il|elle|ils|elles|ce|on)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"^\d{3,4}$")
_INTRODUCED = re.compile(
    r"^(?:en|à|au|aux|dans|sur|sous|par|pour|avec|chez|vers|depuis|entre|de|du|des|d['’]|"
    r"le \d|lors|pendant|durant|après|avant|jusqu)\b|^l['’]année",
    re.IGNORECASE,
)


def statement(question: str, answer: str) -> str | None:
    """Return a sentence that says what a question and its answer say together, or None."""
    asked = " ".join(question.split()).rstrip(" ?.\u00a0\u202f")
    said = " ".join(answer.split()).strip(" .,;:")
    if not asked or not said or len(said) > 120:
        return None
    made = _made(asked, said)
    if made is None or _LEFT.search(made.replace(said, " ")):
        return None
    made = " ".join(made.split())
    return f"{made[0].upper()}{made[1:]}."


def _made(asked: str, said: str) -> str | None:
    if m := _WHICH_IS.match(asked):
        return f"{m['rest']} {m['verb']} {said}"
    if m := _WHAT_IS.match(asked):
        return f"{m['rest']} est {said}"
    if m := _SUBJECT.match(asked):
        return f"{said} {m['rest']}"
    if m := _WHICH.match(asked):
        return f"{said} {m['rest']}"
    if m := _COUNTED.match(asked):
        counted = said if re.search(r"[a-zà-ÿ]{3}", said) else f"{said} {m['noun']}"
        return f"{counted} {m['rest']}"
    if m := _INVERTED.match(asked) or _AFTER.match(asked):
        rest = m.groupdict().get("rest") or ""
        return f"{m['subject']} {m['verb']}{rest} {_placed(m['wh'], said)}"
    return None


def _placed(wh: str, said: str) -> str:
    """Return an answer with the preposition of its question, unless it brings its own."""
    first = wh.lower().split()[0]
    if _INTRODUCED.match(said):
        return said
    if first in {"quand", "où", "comment", "combien"}:
        return f"en {said}" if first == "quand" and _YEAR.match(said) else said
    return f"{first} {said}"
