"""Who a clause of reporting names as the speaker, told from the dependency parse.

A verb of speech with a clause of « que », with a quotation, or put in after what is said (« …,
explique X ») has its subject as the speaker; « selon X » and its like have their noun. A speaker is
a person, an institution or a group: what a noun says of its own kind decides (« l'ouverture d'une
enquête » is none), and nouns of speech give way to whose they are (« la déclaration de X »).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from rag.french.syntax import parse
from rag.french.words import fold

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

QUOTE = "« cela »"  # stands for a quotation in what is parsed
_ADVERBS = (
    r"(?:,? ?(?:[\wéèêîûç]+ment|aussi|également|hier|encore|toutefois|déjà|en outre|ensuite|"
    r"alors|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|ce matin|ce soir|pas|plus|même|"
    r"à nouveau|de nouveau|à l'AFP|à la presse|aux journalistes|aux médias),?)"
)
_THAT = re.compile(r"^[^«»;:.,]{0,80}? (?:que |qu')|^,[^«»;:.,]{0,60}, (?:que |qu')")
_WITH_QUOTE = re.compile(r"^[^«».;]{0,60}?[:,]? ?«")
_TO_DO = re.compile(rf"^{_ADVERBS}{{0,2}} (?:avoir|être|n'avoir|n'être|ne pas|de ne|d'avoir) ")
_INSERTED = re.compile(
    r"(?:[»,?!–—-]|»\s*,)\s*(?:(?:m'|nous |lui |leur |l')?"
    r"(?:a|ont|avait|avaient|s'est|se sont)"
    r"(?:-t)?(?:-(?:il|elle|ils|elles|on))? (?:\w+ment )?)?$"
)
_PASSIVE = re.compile(r"\bété (?:\w+ment )?$")
_OPENED = re.compile(
    r"^((?:(?:l[ea] |l'|les |M\. |Mme )(?:[\w'-]+ )?)?[A-ZÀ-Þ][\w'-]+(?: [A-ZÀ-Þ][\w'-]+)*), "
    r"(?:qui|dont|lequel|laquelle)\b.*,? (?:mais )?(?:n'|l'|le |y |en )?(?:a |ont |avait |s'est )?$"
)
# What follows a speaker's name and is no part of it.
_BESIDE = re.compile(
    r" (?:dans|lors|pendant|devant|où|qui|que|via|depuis|en \w+ant)\b.*$"
    r"| (?:à|au) [A-ZÀ-Þ].*$| \(.*$"
)
FRAMES = re.compile(
    r"\b(?:selon|d'après|à en croire|aux dires d(?:e |u |es |')|"
    r"de l'(?:avis|opinion) d(?:e |u |es |')|aux yeux d(?:e |u |es |')) ?",
    re.IGNORECASE,
)
_OPINION = re.compile(
    r"^(?:mais |et |or |car )?pour (?!(?:que|la première|l'instant|autant)\b)", re.IGNORECASE
)
_SPEECH = frozenset(
    "declaration propos temoignage communique dire mot parole avis opinion estimation recit "
    "explication aveu confidence conclusion affirmation revelation information".split()
)
# Nouns made of verbs and qualities name no one; these are institutions or groups all the same.
_ABSTRACT = re.compile(
    r"(?:tion|sion|ssion|ment|ance|ence|age|ure|ite|isme|esse|ude|but|fait|jour)s?$"
)
_INSTITUTION = frozenset(
    "association organisation administration direction federation commission redaction opposition "
    "delegation coalition gouvernement parlement mouvement agence presidence ambassade universite "
    "societe comite autorite communaute municipalite majorite minorite prefecture defense "
    "accusation confederation institution union nation region population cour conference "
    "commandement departement fondation chambre banque alliance television station congregation "
    "corporation cooperative metropole legation police gendarmerie intersyndicale ville mairie "
    "entourage concurrence groupe entreprise firme exploitant compagnie club journal quotidien "
    "magazine".split()
)
# What « selon » names that is no one: « selon la loi », « selon les cas ».
_THINGS = frozenset(
    "loi regle reglement reglementation usage age taille saison jour heure besoin moyen revenu "
    "bareme calendrier principe modalite modele critere temperature meteo humeur methode recette "
    "tradition formule zone quartier produit mode procedure vraisemblance photo article plan ordre "
    "texte contrat titre panneau cahier inscription date programme cas point academie academies "
    "constitution code norme convention accord theorie hypothese categorie type nombre niveau "
    "standard definition systeme legende".split()
)
_DROPPED = frozenset(
    {
        "acl:relcl",
        "acl",
        "parataxis",
        "advcl",
        "punct",
        "cc",
        "conj:lost",
        "obl:mod",
        "dep",
        "appos",
    }
)
_AWAY = frozenset(
    "dans lors devant pendant apres avant sur a au aux depuis chez via en sans".split()
)
_WORD = re.compile(r"[\wà-ÿ]+")
_JOINED = 6  # words from a name to another joined to it
_NAME = re.compile(r"[A-ZÀ-Þ][\w'-]*$")
_DETERMINERS = frozenset(
    "le la les l un une des d du son sa ses leur leurs ce cette ces certains certaines "
    "plusieurs".split()
)
_NO_ONE = frozenset(
    "que qui quoi cela ce c' l' m' s' t' lui y en ça cet cette lundi mardi mercredi jeudi vendredi "
    "samedi dimanche janvier février mars avril mai juin juillet août septembre octobre novembre "
    "décembre".split()
)
PRONOUNS = frozenset("il elle ils elles on lui eux celui-ci celle-ci ceux-ci celles-ci".split())


@dataclass(frozen=True, slots=True)
class Spoken:
    """Who speaks, as the text names them (a pronoun is left as it is), and what shows it."""

    speaker: str
    marker: str


@lru_cache(maxsize=1)
def verbs() -> frozenset[str]:
    """Return forms of verbs that introduce speech, in lower case.

    Those of `quote_verbs_fr.txt` and of `reporting.txt`.
    """
    found: set[str] = set()
    for name in ("quote_verbs_fr.txt", "reporting.txt"):
        text = (files("rag.french") / name).read_text(encoding="utf-8")
        for line in text.splitlines():
            if not line.startswith("#"):
                found.update(w.replace("_", " ") for w in line.removeprefix("@ ").split())
    return frozenset(found - {"se", "a", "est", "fait", "faits", "passe", "va", "met"})


def spoken(outside: str) -> Spoken | None:
    """Return who a sentence says to speak; None when it shows nobody.

    `outside` is the sentence with `QUOTE` for each of its quotations.
    """
    doc = parse(outside)
    return _by_verb(doc, outside) or _according(doc, outside) or _before_quote(doc, outside)


def cued(outside: str) -> bool:
    """Tell whether a sentence may show who speaks: what does not is not parsed."""
    if FRAMES.search(outside) or _OPINION.match(outside) or f": {QUOTE}" in outside:
        return True
    known = verbs()
    return any(
        word.group().lower() in known and _shows(outside[: word.start()], outside[word.end() :])
        for word in _WORD.finditer(outside)
    )


def _shows(before: str, after: str) -> bool:
    """Tell whether what stands around a verb can be what is said."""
    said = _THAT.match(after) or _WITH_QUOTE.match(after) or _TO_DO.match(after)
    return bool(said or _INSERTED.search(before)) and not _PASSIVE.search(before)


def _by_verb(doc: Doc, text: str) -> Spoken | None:
    known = verbs()
    for token in doc:
        if token.text.lower() not in known or not _is_verb(token):
            continue
        before, after = text[: token.idx], text[token.idx + len(token) :]
        if not _shows(before, after):
            continue
        inserted = bool(_INSERTED.search(before)) and _is_inserted(token, after)
        if not inserted and not _shows("", after):
            continue
        inverted = re.match(r"-(?:t-)?(il|elle|ils|elles|on)\b", after) or re.search(
            r"\b(?:a|ont|avait|avaient|s'est|se sont)-(?:t-)?(il|elle|ils|elles|on) (?:\w+ment )?$",
            before,
        )
        if inverted:
            return Spoken(inverted[1], token.text)
        subject = _subject(token, after=inserted)
        if opened := _OPENED.match(text[: token.idx]):  # « X, qui avait menacé…, a ajouté »
            return Spoken(opened[1], token.text)
        if subject is not None and speaks(subject) and (phrase := named(subject)):
            return Spoken(phrase, token.text)
    return None


def _is_verb(token: Token) -> bool:
    # The small model takes rare participles for other things, but finds them at the root.
    return token.pos_ in {"VERB", "AUX", "ADJ"} or token.dep_ in {"ROOT", "parataxis"}


def _before_quote(doc: Doc, text: str) -> Spoken | None:
    """Return the subject of what stands before a colon and a quotation, whatever its verb."""
    if not (colon := re.search(rf" ?: ?{QUOTE}", text)):
        return None
    root = next((t for t in doc if t.dep_ == "ROOT" and t.idx < colon.start()), None)
    subject = _subject(root, after=False) if root is not None else None
    told = subject is not None and speaks(subject) and subject.text.lower() not in PRONOUNS
    return Spoken(named(subject), ":") if subject is not None and told else None


def _is_inserted(token: Token, after: str) -> bool:
    """Tell whether a verb after a comma or a quotation has its subject behind it."""
    return bool(
        re.match(r"-(?:t-)?(?:il|elle|ils|elles|on)\b", after)
        or any(c.dep_.startswith("nsubj") and c.i > token.i for c in token.children)
        or re.match(rf"{_ADVERBS}? (?:l[ea] |l'|les |un |une |son |sa |M\. |Mme |[A-ZÀ-Þ])", after)
    )


def _subject(token: Token, *, after: bool) -> Token | None:
    """Return the subject of a verb, or of the verb that it is joined to."""
    verb: Token | None = token
    for _ in range(4):
        if verb is None:
            return None
        for child in verb.children:
            if child.dep_.startswith("nsubj") and (child.i > token.i) == after:
                if child.text.lower() in {"qui", "lequel", "laquelle"}:
                    return verb.head if verb.dep_ == "acl:relcl" else None
                return child
        if after:
            following = [
                t for t in token.doc[token.i + 1 : token.i + 8] if t.pos_ in {"NOUN", "PROPN"}
            ]
            return following[0] if following else None
        verb = (
            verb.head
            if verb.dep_ in {"conj", "xcomp", "ccomp", "cop", "aux:tense", "advcl"}
            and verb.head is not verb
            else None
        )
    return None


def _according(doc: Doc, text: str) -> Spoken | None:
    """Return whose word « selon », « d'après », « pour » name."""
    frames = list(FRAMES.finditer(text))
    opening = _OPINION.match(text)
    for frame in (*frames, *([opening] if opening else [])):
        rest = [t for t in doc if t.idx >= frame.end()][:9]
        head = next(
            (t for t in rest if t.pos_ in {"NOUN", "PROPN", "PRON"} and t.dep_ != "amod"), None
        )
        if head is None or head.text.lower() in _NO_ONE:
            continue
        if frame is opening and not _opines(head, text):
            continue
        while fold(head.lemma_) in _SPEECH:
            whose = next(
                (
                    c
                    for c in head.children
                    if c.dep_ in {"nmod", "obl:arg", "appos"} and c.i > head.i
                ),
                None,
            )
            if whose is None:
                break
            head = whose
        if fold(head.lemma_) in _THINGS or fold(head.text) in _THINGS or not speaks(head):
            continue
        if phrase := named(head):
            return Spoken(phrase, frame.group().strip())
    return None


def _opines(head: Token, text: str) -> bool:
    """Tell whether « Pour X, » names somebody whose view follows."""
    person = head.pos_ == "PROPN" or bool(_ROLE.match(fold(head.text)))
    return person and bool(re.match(r"[^.;:«]{0,120}?(?:,| :| ?«)", text[head.idx :]))


_ROLE = re.compile(
    r"(?:maire|presiden|ministre|pref|direct|avoca|syndica|opposition|association|elu|depute|"
    r"senat|collectif|eleveu|agriculteu|riverain|habitant|expert|chercheu|economiste|historien|"
    r"defense|parquet|procureu|gouvernement|entraineu|responsable|porte-parole|opposant|"
    r"organisat|greviste|salarie|medecin|patron|chef|juge|militant|parent|commercant|analyste|"
    r"professeu|auteu|scientifique|specialiste|ong\b|parti\b|police|cousin|frere|soeur|pere\b|mere\b|"
    r"epou|mari\b|fils\b|fille|voisin|temoin|client|collegue|joueu|chanteu|acteu|actrice|skipper)"
)


def speaks(head: Token) -> bool:
    """Tell whether a noun can be somebody who speaks."""
    if head.text.lower() in _NO_ONE:
        return False
    if head.pos_ in {"PROPN", "PRON"}:
        return True
    if head.pos_ in {"NUM", "VERB", "AUX", "ADV", "ADP", "PUNCT", "SYM"}:
        return False
    return _can_speak(fold(head.text))


def _can_speak(noun: str) -> bool:
    """Tell whether a folded noun can be a person, an institution or a group."""
    return _among(noun, _INSTITUTION) or not _ABSTRACT.search(noun)


def _among(noun: str, known: frozenset[str]) -> bool:
    return noun in known or noun.removesuffix("s") in known


def _belongs(child: Token, head: Token) -> bool:
    """Tell whether what hangs on a speaker's noun is part of the name."""
    if child.dep_ in _DROPPED or child.pos_ in {"VERB", "AUX", "PUNCT"}:
        return False
    if child.head.i == head.i and child.dep_ in {"case", "mark"}:
        return False
    cases = {fold(c.text) for c in child.children if c.dep_ == "case"}
    if child.dep_ in {"nmod", "obl:arg", "obl"} and not cases.isdisjoint(_AWAY):
        return False
    return child.dep_ != "conj" or child.i - child.head.i <= _JOINED


def _kept(token: Token, head: Token) -> Iterator[int]:
    yield token.i
    for child in token.children:
        if _belongs(child, head):
            yield from _kept(child, head)


def named(head: Token) -> str:
    """Return a speaker's phrase: the noun with what belongs to its name, nothing that hangs on."""
    kept, doc = set(_kept(head, head)), head.doc
    first, last = head.i, head.i
    while first - 1 in kept:
        first -= 1
    while last + 1 in kept:
        last += 1
    # A name right after the noun that the parse has hung elsewhere: « le ministre Manuel Valls ».
    while last + 1 < len(doc) and _NAME.match(doc[last + 1].text):
        last += 1
    if doc[last + 1 : last + 3].text[:1] == "-":  # « l'état-major »
        last += 2
    start = doc[first].idx
    if first and doc[first - 1].pos_ == "DET" and doc[first - 1].dep_ == "det":
        start = doc[first - 1].idx
    return doc.text[start : doc[last].idx + len(doc[last])].strip(" ,«»")


def is_person(phrase: str) -> bool:
    """Tell whether a phrase surely names a person, an institution or a group."""
    found = [fold(w) for w in re.findall(r"[\w'-]+", phrase)]
    nouns = [w.rpartition("'")[2] for w in found]
    name = _PERSON.search(phrase)
    first = phrase.split("'", maxsplit=1)[0].split(" ", maxsplit=1)[0]
    if first[:1].islower() and fold(first) not in _DETERMINERS:
        return False
    return bool(
        (name and not re.search(r"\bd(?:[eu] |es |')", phrase[: name.start()]))
        or (phrase[:1].isupper() and " " not in phrase and fold(phrase) not in _NO_ONE)
        or any(
            _ROLE.match(w) or w in _INSTITUTION or w.removesuffix("s") in _INSTITUTION
            for w in nouns[:3]
        )
    )


_PERSON = re.compile(r"\b(?:M\.|Mme|Me) ?[A-ZÀ-Þ]|\b[A-ZÀ-Þ][\w'-]+ (?:d[eu] )?[A-ZÀ-Þ][\w'-]+")


def main_subject(sentence: str) -> str:
    """Return the person who is the subject of a sentence, as a speaker is named; "" for none."""
    doc = parse(sentence)
    root = next((t for t in doc if t.dep_ == "ROOT"), None)
    subject = next((c for c in root.children if c.dep_.startswith("nsubj")), None) if root else None
    phrase = named(subject) if subject is not None and subject.pos_ in {"NOUN", "PROPN"} else ""
    if apposed := re.search(
        rf"{re.escape(phrase)}, ({_PERSON.pattern})(?: [A-ZÀ-Þ][\w'-]+)*,", sentence
    ):
        return apposed[1]
    return phrase if subject is not None and (subject.pos_ == "PROPN" or is_person(phrase)) else ""


def trimmed(who: str) -> str:
    """Return a speaker's name without what only stands beside it; "" when it names no one.

    Of « la déclaration de X », X speaks.
    """
    who = _BESIDE.sub("", who).strip(" ,.")
    raw = [w for w in re.findall(r"[\w-]+", who) if fold(w) not in _DETERMINERS]
    if not raw:
        return who
    noun = fold(raw[0])
    speech = _among(noun, _SPEECH)
    thing = _among(noun, _THINGS) or not _can_speak(noun)
    if thing and not speech and not raw[0][0].isupper():
        return ""
    whose = re.match(r"^.*?\b(?:d[eu] |des |d')(.+)$", who)
    return whose[1] if whose and speech else who
