"""Whether a noun phrase can be somebody who speaks, and what of it is the speaker's name.

A speaker is a person, an institution or a group: nouns made of verbs and qualities are none
(« l'ouverture d'une enquête »), and nouns of speech give way to whose they are (« la déclaration
de X »). The words decide alone: a parser says it better and takes more memory than
an ingestion has, see docs/verify.md.
"""

from __future__ import annotations

import re

from rag.french.names import CIVILITY
from rag.french.words import fold

QUOTE = "« cela »"  # stands for a quotation in what is read
# What follows a speaker's name and is no part of it.
_BESIDE = re.compile(
    r" (?:dans|lors|pendant|devant|où|qui|que|via|depuis|en \w+ant)\b.*$"
    r"| (?:à|au) [A-ZÀ-Þ].*$| \(.*$"
)
_SPEECH = frozenset(
    "declaration propos temoignage communique dire mot parole avis opinion estimation recit "
    "explication aveu confidence conclusion affirmation revelation information".split()
)
# Nouns made of verbs and qualities name no one; institutions and groups may end alike.
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
_DETERMINERS = frozenset(
    "le la les l un une des d du son sa ses leur leurs ce cette ces certains certaines "
    "plusieurs".split()
)
_NO_ONE = frozenset(
    "que qui quoi cela ce c' l' m' s' t' lui y en ça cet cette lundi mardi mercredi jeudi vendredi "
    "samedi dimanche janvier février mars avril mai juin juillet août septembre octobre novembre "
    "décembre".split()
)
_ROLE = re.compile(
    r"(?:maire|presiden|ministre|pref|direct|avoca|syndica|opposition|association|elu|depute|"
    r"senat|collectif|eleveu|agriculteu|riverain|habitant|expert|chercheu|economiste|historien|"
    r"defense|parquet|procureu|gouvernement|entraineu|responsable|porte-parole|opposant|"
    r"organisat|greviste|salarie|medecin|patron|chef|juge|militant|parent|commercant|analyste|"
    r"professeu|auteu|scientifique|specialiste|ong\b|parti\b|police|cousin|frere|soeur|pere\b|mere\b|"
    r"epou|mari\b|fils\b|fille|voisin|temoin|client|collegue|joueu|chanteu|acteu|actrice|skipper)"
)
_PERSON = re.compile(rf"\b{CIVILITY} ?[A-ZÀ-Þ]|\b[A-ZÀ-Þ][\w'-]+ (?:d[eu] )?[A-ZÀ-Þ][\w'-]+")
_SUBJECT = re.compile(
    r"(?:(?:(?:L[ea]|Les|Son|Sa) |L')[\w'-]+(?: (?:de |du |des |d'|de l')[\w'-]+)?, )?"
    rf"(?P<name>(?:{CIVILITY} )?[A-ZÀ-Þ][\w'-]+(?: (?:de |du |d'|ben |al-)?[A-ZÀ-Þ][\w'-]+)+)"
)


_GROUP = re.compile(
    r"(?:(?:L[ea]|Les|Un|Une|Son|Sa) |L')(?:ancien(?:ne)? )?[\w-]+"
    r"(?: (?:de la |de l'|de |du |des |d')[\w'-]+)?"
)


def _can_speak(noun: str) -> bool:
    """Tell whether a folded noun can be a person, an institution or a group."""
    return _among(noun, _INSTITUTION) or not _ABSTRACT.search(noun)


def _among(noun: str, nouns: frozenset[str]) -> bool:
    return noun in nouns or noun.removesuffix("s") in nouns


def is_individual(phrase: str) -> bool:
    """Tell whether a phrase names one human being: « Mme Roy », « le maire, Paul Roy »."""
    return bool(_PERSON.search(phrase)) and not any(
        _among(fold(w), _INSTITUTION) for w in re.findall(r"[\w-]+", phrase)
    )


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


def main_subject(sentence: str) -> str:
    """Return the person whom a sentence begins with, by name where it gives one; "" for none."""
    if (found := _SUBJECT.match(sentence)) and fold(found["name"].split()[0]) not in _NO_ONE:
        return found["name"]
    role = _GROUP.match(sentence)
    return role.group() if role and is_person(role.group()) else ""


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
