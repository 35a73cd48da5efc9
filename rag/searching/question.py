"""What a French question expects: a number of something, a date, a person, a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from rag import messages
from rag.errors import QuestionError
from rag.french.dates import MONTHS
from rag.french.names import names
from rag.french.numbers import numbers
from rag.french.periods import AskedTime, asked
from rag.french.words import fold, is_function_word, question_stems, same_root, stem, words
from rag.searching.intent import Intent, intent_of
from rag.searching.matching import Terms

if TYPE_CHECKING:
    from rag.models.embedding import Vectors

_MONTH = "|".join(fold(m) for m in MONTHS)
_AMOUNT = r"(?:\d|\b(?:un|une|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingt|trente|quarante|cinquante|soixante|cent|mille|million|dizaine|douzaine|vingtaine|trentaine|cinquantaine|centaine|millier|moitie|tiers|quart|demi|aucun)\w*)"  # noqa: E501
_UNITS = {
    "money": r"(?:\beuros?\b|€|\bcentimes?\b|\bdollars?\b|\bfrancs?\b|\bmilliards?\b|gratuit)",
    "duration": r"\b(?:ans?|annees?|mois|jours?|semaines?|heures?|minutes?|secondes?|siecles?)\b",
    "length": r"\b(?:metres?|kilometres?|centimetres?|millimetres?|km|cm|mm|m)\b",
    "area": r"\b(?:hectares?|metres? carres?|kilometres? carres?|m2|km2|ha)\b",
    "speed": r"(?:km/h|kilometres?[ -]heure)",
    "age": r"\b(?:ans|age)\b",
    "hour": r"(?:\d\s?h\b|\bheures?\b|\bminuit\b|\bmidi\b)",
    "share": r"(?:%|pour cent|\bmoitie\b|\btiers\b|\bquart\b|\bsur (?:dix|cent|\w+)\b)",
}
_DATE = rf"(?:\b(?:{_MONTH})\b|\b(?:1[0-9]|20)\d\d\b|\b(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)\b|\b(?:printemps|ete|automne|hiver|rentree|hier|aujourd'hui|paques|noel)\b|\bsiecle\b)"  # noqa: E501
_REASON = r"\b(?:parce qu|car\b|faute d|en raison|a cause|afin|puisque|grace a|suite a|apres|invoque|expliqu|du fait|motif|cause|raison|estim\w* (?:que|qu)|juge|pour\b|en effet|insuffisan)"  # noqa: E501
_PLACE = r"\b(?:a|au|aux|dans|en|sur|sous|derriere|pres|devant|chez|entre|vers|place|rue|quai)\b"
_CALENDAR = rf"\b(?:\d{{1,2}}|1er)(?: (?:au|et) \d{{1,2}})? (?:{_MONTH})(?: \d{{4}})?\b|\b(?:1[5-9]|20)\d\d\b"  # noqa: E501
_PEOPLE = frozenset(
    stem(w)
    for w in "personne habitant visiteur spectateur voyageur participant gens membre soldat casque "
    "policier salarie emploi employe poste patient eleve adherent manifestant mort victime "
    "blesse".split()
)
_MEASURE = r"\b(?:euros?|centimes?|metres?|kilometres?|ans|annees?|mois|jours?|heures?|minutes?)\b"
_AGED = re.compile(r"\b[A-ZÀ-Þ][\w’'-]+(?: [A-ZÀ-Þ][\w’'-]+)*, \d{1,3} ans\b")
_FULL_NAME = re.compile(r"\b[A-ZÀ-Þ][\w’'-]+ (?:de |du |d’|d')?[A-ZÀ-Þ][\w’'-]+")
_SOMEONE = r"\b(?:un|une|le|la) \w+(?: \w+)? de \d+ ans\b|\b(?:groupement|association|collectif|syndicat|societe|cooperative|gendarmerie|police|parquet|prefet|maire|directeur|directrice|armee)\b"  # noqa: E501
_NAME = re.compile(r"(?<![.!?…] )(?<!^)(?<!« )\b[A-ZÀ-Þ][\w’'-]+")


LONGEST_QUESTION = 1000  # characters


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A question, or anything to search for, understood once. It travels whole.

    `stems` say what it is about; `kind` what it expects; `counted` is the stem
    of what « combien de … » counts, or "". `names` and `numbers` are those it
    says, `time` the time it asks about, `intent` what it wants. What depends on
    the index is added by the retriever: `vector`, of shape (dimension,), and `terms`, the stems
    with their inverse document frequency.
    """

    text: str
    stems: tuple[str, ...]
    kind: str = "other"
    counted: str = ""
    names: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    time: AskedTime = field(default_factory=AskedTime)
    intent: Intent = field(default_factory=Intent)
    vector: Vectors | None = None
    terms: Terms = field(default_factory=Terms)

    def answered_in(self, sentence: str) -> float:
        """Return how well a sentence holds the kind of thing expected, in [0, 1].

        0.5 where the kind says nothing (« comment », « que »).
        """
        folded = fold(sentence)
        match self.kind:
            case "count":
                return self._counts(sentence, folded)
            case "money" | "duration" | "length" | "area" | "speed" | "age" | "hour" | "share":
                fits = re.search(_UNITS[self.kind], folded) and re.search(_AMOUNT, folded)
                return 1.0 if fits else 0.0
            case "amount":
                fresh = numbers(sentence) - self.numbers
                return 1.0 if fresh or re.search(_AMOUNT, folded) else 0.0
            case "date":
                return 1.0 if re.search(_DATE, folded) else 0.0
            case "reason":
                return 1.0 if re.search(_REASON, folded) else 0.2
            case "place":
                return 0.8 if re.search(_PLACE, folded) else 0.0
            case "person":
                return self._names_someone(sentence, folded)
        return 0.5

    def _names_someone(self, sentence: str, folded: str) -> float:
        asked = set(words(self.text))
        full = [m for m in _FULL_NAME.findall(sentence) if not set(words(m)) & asked]
        if full or _AGED.search(sentence):
            return 1.0
        roots = [stem(w) for w in asked if not is_function_word(w)]
        for match in re.finditer(_SOMEONE, folded):
            if not any(same_root(stem(w), r) for w in words(match.group()) for r in roots):
                return 0.8
        named = [m for m in _NAME.findall(sentence) if not set(words(m)) <= asked]
        return 0.5 if named else 0.1

    def _counts(self, sentence: str, folded: str) -> float:
        folded = re.sub(_CALENDAR, " ", folded)  # a date counts nothing
        if not re.search(_AMOUNT, folded):
            return 0.0
        if not self.counted:
            return 0.7
        found = words(sentence)
        for at, word in enumerate(found):
            root = stem(word)
            if same_root(root, self.counted) >= 0.7 or {root, self.counted} <= _PEOPLE:
                before = " ".join(found[max(0, at - 4) : at])
                # « 45 centimes le litre » counts centimes.
                if re.search(rf"{_AMOUNT}(?!.*{_MEASURE})", before):
                    return 1.0
        return 0.3


def understand_question(text: str, today: date | None = None) -> Question:
    """Take a French question apart; anything that is not one has kind "other".

    `today` says what « hier » means (default: the real day).
    """
    folded = " " + " ".join(words(text)) + " "
    kind, counted = "other", ""
    for pattern, name in _KINDS:
        if match := re.search(pattern, folded):
            kind = name
            if name == "count":
                rest = folded[match.end() :].split()
                counted = next((stem(w) for w in rest if not is_function_word(w)), "")
            break
    return Question(
        text,
        tuple(question_stems(text)),
        kind,
        counted,
        frozenset(names(text)),
        frozenset(numbers(text)),
        asked(text, today),
        intent_of(text),
    )


def normalized_question(text: str) -> str:
    """Return a question as it is read, blanks made one. Raises QuestionError for none, or long."""
    question = " ".join(text.replace("\0", " ").split())
    if not question:
        raise QuestionError(messages.EMPTY_QUESTION)
    if len(question) > LONGEST_QUESTION:
        raise QuestionError(messages.LONG_QUESTION.format(LONGEST_QUESTION))
    return question


_KINDS = [
    (r" (?:combien de temps|quelle duree|depuis combien|en combien de temps|quel delai) ", "duration"),  # noqa: E501
    (r" combien (?:vaut|coute|couteront|coutera|coutait|ont coute|a coute|a t il coute|gagne|fallait il payer|faut il payer|paie|rapporte|a rapporte) ", "money"),  # noqa: E501
    (r" combien(?: \w+){0,4} (?:cout\w*|pay\w*|vaut|valait|estim\w*) ", "money"),
    (r" (?:quel|a quel|quels|quelle) (?:est |etait |sera )?(?:le |la |l )?(?:prix|cout|montant|budget|salaire|tarif|somme|deficit|amende|chiffre d affaires|loyer) ", "money"),  # noqa: E501
    (r" combien (?:mesure|pese) ", "length"),
    (r" combien d(?:e |u |es )? ?", "count"),
    (r" combien ", "amount"),
    (r" quel(?:s|le|les)? (?:est |etait |sont )?(?:le |la )?(?:nombre|chiffre|effectif) ", "count"),
    (r" (?:quand|quelle date|quel jour|quelle annee|quel mois|de quand|depuis quand|jusqu a quand) ", "date"),  # noqa: E501
    (r" (?:quelle heure|quelles heures|quels horaires|quelles sont les horaires) ", "hour"),
    (r" quel age ", "age"),
    (r" quelle(?: est| etait| sera)?(?: la)? (?:vitesse) ", "speed"),
    (r" (?:quelle(?: est| etait| sera)?(?: la)? (?:longueur|distance|hauteur|taille|largeur|profondeur)) ", "length"),  # noqa: E501
    (r" (?:quelle(?: est| etait| sera)?(?: la)? (?:surface|superficie)) ", "area"),
    (r" (?:quel pourcentage|quelle part|quelle proportion) ", "share"),
    (r" (?:pourquoi|quelle raison|quelles raisons|quelle cause) ", "reason"),
    (r" (?:ou|d ou|jusqu ou|quel endroit|quel lieu|quelle ville) ", "place"),
    (r"^ (?:(?:a |contre |par |avec |chez )?qui (?!est ce que)|comment s appel\w+ |quel(?:s|le)? (?:est|etait|sont|etaient) (?:le|les) noms? |de qui )", "person"),  # noqa: E501
]  # fmt: skip
