"""Who says what a sentence says: the newsroom, somebody it quotes, or nobody quite.

« selon X », « a déclaré X », « X assure que », words in guillemets, and the
conditional of hearsay (« aurait »). A sentence that somebody says is evidence
that it was said, not that it is so. Rules over French reporting verbs and
frames; the words that show it are kept, so that a reader can judge.
"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files

from rag.domain import Attribution, Kind

# One character for one, so that offsets stand.
_PLAIN = str.maketrans(
    {"’": "'", "\u00a0": " ", "\u202f": " ", "\n": " ", "“": "«", "”": "»", "‑": "-"}
)


REPORTED = Attribution(Kind.REPORTED)


def attribute(text: str, start: int = 0, end: int | None = None, title: str = "") -> Attribution:
    """Return who says the sentence `text[start:end]`.

    The text around it tells whether it stands inside a quotation that began
    before it, and who « il » is; `title` does when nothing stands before it.
    Offsets in characters.
    """
    plain = text.translate(_PLAIN)
    end = len(plain) if end is None else end
    sentence, before = plain[start:end].strip(), plain[:start]
    found = _framed(sentence) or _quoted(sentence, before, plain[end:])
    found = found or _conditional(sentence) or REPORTED
    if found.kind is Kind.STATEMENT and not found.speaker:
        return replace(found, speaker=_earlier_speaker(before or title.translate(_PLAIN)))
    return found


def _verbs() -> tuple[str, str, str, str]:
    """Return alternations: present and participle of all, then of those that need no « que »."""
    text = (files("rag.french") / "reporting.txt").read_text(encoding="utf-8")
    groups: tuple[list[str], list[str], list[str], list[str]] = ([], [], [], [])
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        bare = re.sub(r"\bse ", "se_", line.removeprefix("@ "))
        present, plural, participle = (form.replace("_", " ") for form in bare.split())
        for into in (0, 2) if line.startswith("@") else (0,):
            groups[into].extend((present, plural))
            groups[into + 1].append(participle)
    a, b, c, d = ("|".join(sorted(forms, key=len, reverse=True)) for forms in groups)
    return a, b, c, d


_PRESENT, _PARTICIPLE, _DIRECT, _DIRECT_PARTICIPLE = _verbs()
_AUX = r"(?:s'est|se sont|s'était|avaient|avait|ont|a)"
_DAY = r"(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)"
_ADVERB = (
    rf"(?:(?:[\wéèêîûçà]+ment|aussitôt|encore|aussi|déjà|même|toutefois|depuis|pourtant|ensuite|"
    rf"[dà]e? ?nouveau|hier|au contraire|{_DAY}) )?"
)
_IMPERFECT = r"(?:affirm|assur|déclar|dis|expliqu|estim|indiqu|jur|soutien?|prétend)(?:ait|aient)"
_SAID = (
    rf"(?:{_AUX} {_ADVERB}(?:{_PARTICIPLE})e?s?|{_AUX} (?:fait (?:savoir|valoir)|"
    rf"tenu à (?:dire|préciser|rappeler))|f(?:ai|on)t (?:savoir|valoir)|{_PRESENT}|{_IMPERFECT})\b"
)
_PRONOUN = r"(?:ils|elles|il|elle|on)"
_INVERTED = (  # « a-t-il déclaré », « explique-t-elle »
    rf"(?:{_AUX}[- ](?:t-)?{_PRONOUN} {_ADVERB}(?:{_PARTICIPLE})e?s?|"
    rf"(?:{_PRESENT})-(?:t-)?{_PRONOUN})\b"
)
# Where a speaker's name ends.
_END = (
    rf"(?=,| :| ;|\.(?!-)|[?!»(·]|$| qui | dont | lors d| après | avant | dans un| au micro| devant |"
    rf" {_DAY}| jointe? | interrogée?s? | sur (?:X|place)| ce (?:matin|soir)| hier| à l'AFP| en \d)"
)
_WHO = r"(?P<who>(?:M\.|Mme|Me|Mgr|Dr)? ?[\w'][^,;:.?!»«()·]*?(?:(?<=\b[A-Z])\.[^,;:?!»«()·]*?)?)"
_APPOSED = (
    r"(?P<name>, (?:M\.|Mme|Me|l[ea] [a-zé]+)? ?[A-ZÀ-Þ][\w'-]+(?: (?:d[eu] )?[A-ZÀ-Þ][\w'-]+)+)?"
)
_OF = r"d(?:e |u |es |')"
_ACCORDING = re.compile(
    rf"\b(?i:selon|d'après|à en croire|aux dires {_OF}|de l'avis {_OF}|"
    rf"apprend-on (?:auprès )?{_OF}|a-t-on appris (?:auprès )?{_OF}) ?{_WHO}{_APPOSED}{_END}"
)
_FROM_SOURCE = re.compile(rf"\bde (?P<who>sources? [^,.;:«»]+?){_END}", re.IGNORECASE)
# « selon la saison », « d'après la loi », « La loi dit » : nobody speaks.
_NOBODY = re.compile(
    r"^(?:(?:la|les?|l'|un|une|des|son|leur|sa|ses|ce|cette|ces|nos|chaque) ?)?(?:"
    r"que?\b|qu'|si\b|cas\b|lois?\b|règle\w*|usages?\b|âges?\b|tailles?\b|saisons?\b|jours?\b|"
    r"heures?\b|besoins?\b|moyens\b|revenus?\b|barème|calendrier|principe|modalité|modèle|critère|"
    r"température|météo|humeur|méthode|recette|tradition|formule|zones?\b|communes?$|quartiers?$|"
    r"produits?\b|mode\b|procédure|(?:la|le|les)quel|toute vraisemblance|photos?\b|articles?\b|"
    r"plan\b|ordre\b|texte\b|contrat\b|titre\b|panneau|cahier|inscription|date\b|programme\b)",
    re.IGNORECASE,
)
_OURS = re.compile(r"^(?:nos|les) informations\b", re.IGNORECASE)
_ROLE = (
    r"(?:maire|président|ministre|préf|direct|avocat|syndicat|opposition|association|élu|déput|"
    r"sénat|collectif|éleveur|agriculteur|riverain|habitant|expert|chercheu|économiste|historien|"
    r"défense|accusation|parquet|procureu|gouvernement|entraîneu|responsable|porte-parole|opposant|"
    r"organisat|gréviste|salarié|médecin|patron|chef|juge|militant|parent|commerçant)"
)
_FOR = re.compile(
    rf"^Pour (?P<who>(?:(?:l'|le |la |les |son |sa |un |une |des )?(?:ancien(?:ne)? |ex-)?{_ROLE}|"
    rf"(?:M\.|Mme|Me) [A-ZÀ-Þ]|[A-ZÀ-Þ][\w'-]+ [A-ZÀ-Þ])[^,«»]*?){_APPOSED},"
)
_COMPLEMENT = (
    r"(?:que |qu'|de |d'|à |sur |ce |cette |ces |en |par |avoir |être |au |"
    rf"(?:une?|des|son|sa|ses|leurs?) (?!{_ROLE}|conseill|témoin|source|proche|voisin|cousin|frère|"
    r"sœur|père|mère|épou|femme|mari|fils|fille|client|adjoint|collègue))"
)
_POSTPOSED = re.compile(
    rf"(?:[»,?!·])\s*,?\s*(?:(?P<inverted>{_INVERTED})|"
    rf"{_SAID} (?!{_COMPLEMENT}){_ADVERB}{_WHO}{_APPOSED}{_END})"
)
# « Le juge a estimé » : the noun, not the verb.
_NOT_BARE = r"(?<!^Le)(?<!^La)(?<!^Un)(?<!^Une)(?<!^Les)(?<!^Des)"
# « X, maire de Y, a assuré que… » ; a direct verb needs no « que ».
_PREPOSED = re.compile(
    rf"^(?P<who>[^«»:;·,]*?){_NOT_BARE}(?P<name>,[^«»:;·]{{0,80}}?,)? "
    rf"(?:mais |ne |n'|l'|le |en |y |leur |lui )?(?P<verb>{_SAID})(?= {_ADVERB}(?:que |qu'|«|·|:|d?'?«|"
    r"avoir |être |n'avoir |ne pas |n'|de |d'|[^«»:;,.]{0,60} (?:que |qu'|: ?[«·])))"
)
_DIRECTLY = re.compile(
    rf"^(?P<who>[^«»:;·,]*?){_NOT_BARE}(?P<name>,[^«»:;·]{{0,80}}?,)? (?:ne |n'|l'|le |en |y )?"
    rf"(?P<verb>(?:{_AUX} {_ADVERB}(?:{_DIRECT_PARTICIPLE})e?s?|{_DIRECT}|y voi(?:t|ent))\b)"
)
# « La région promet une aide » is a statement; « la mairie a demandé un audit » a deed.
_ANNOUNCES = re.compile(
    rf"^(?P<who>[^«»:;·,]*?){_NOT_BARE}(?P<name>,[^«»:;·]{{0,80}}?,)? (?P<verb>"
    rf"(?:affirm|assur|promet|soutien|prétend|confirm|regrett|rappel|avanc|redout|crai|reconn)\w*\b)"
    r"(?= (?:la |le |les |l'|un |une |des |son |sa |ses |leurs? |avoir ))"
)
_COLON = re.compile(
    r"^(?!.*selon)(?P<who>[A-ZÀ-Þ][^«»:;·,.]{2,80}?)(?P<name>,[^«»:·]{0,80})? ?: ?[«·]"
)
_OPENING = re.compile(
    rf"^(?:(?:{_DAY}|hier|mais|or|et|de son côté|pour sa part|dans un communiqué|le \d+ \w+|"
    r"(?:interrogé|joint)[^,]*|en \d{4}|quant à (?:lui|elle|eux)|toutefois|cependant|pourtant|"
    r"(?:devant|au lendemain|depuis|après|face à|lors d|à l'issue|à la barre|à l'audience|sur place)"
    r"[^,]*),?\s+)+",
    re.IGNORECASE,
)
_HEARSAY = re.compile(r"\b(?:[\wéèêîûçàô]{2,}r(?:ait|aient))\b")
# Imperfects and nouns in -rait: verbs whose stem ends in r.
_NOT_HEARSAY = re.compile(
    r"(?:(?:entr|rencontr|montr|dur|tir|attir|retir|étir|jur|assur|mesur|rassur|murmur|figur|livr|"
    r"déliv|err|serr|gouvern|admir|respir|aspir|inspir|expir|prépar|répar|sépar|compar|accapar|"
    r"déclar|espér|opér|génér|gér|différ|préfér|référ|tolér|récupér|libér|considér|accélér|suggér|"
    r"ador|ignor|explor|dévor|élabor|collabor|amélior|pleur|demeur|effleur|ouvr|couvr|découvr|offr|"
    r"souffr|recouvr|illustr|enregistr|administr|démontr|filtr|concentr|restaur|instaur|célébr|"
    r"intégr|cour|parcour|mour|concour|secour|recour|encour|accour|paraiss|dor|décor|sépar|vibr|"
    r"sacr|consacr|massacr|ouv|œuvr|manœuvr|chiffr|engendr|encadr|cadr|attr|distr|extr|abstr|por|"
    r"portr|retr|tr|bourr|fourr|narr|barr|marr|démarr|tar|égar|par|empar|fédér|modér|"
    r"exagér|aér|adhér|repér|coopér|inaugur|captur|dur|endur|perdur|épur|satur)(?:ait|aient))"
)
_IF = re.compile(r"\b(?:si|s'il|s'ils|au cas où)\b", re.IGNORECASE)
_PREDICATE = re.compile(rf" (?:met|mettent|ne|n'|s'est|est|sont|a|ont|{_DIRECT}) ")
_DATELINE = re.compile(r"^[A-ZÀ-Þ' -]{3,}(?: \([^)]*\))? ?[—–-] ")
_GUILLEMETS = re.compile(r"«\s*([^«»]*)\s*(?:»|$)")
_PERSON = re.compile(
    r"(?:(?:M\.|Mme|Me) )?[A-ZÀ-Þ][\w'-]+(?: (?:de |du |d'|des )?[A-ZÀ-Þ][\w'-]+)+"
)
_NAMED = re.compile(rf"{_PERSON.pattern}|(?<=, )([A-ZÀ-Þ][\w'-]+)(?=, \d+ ans)")
_PRONOUNS = re.compile(
    r"^(?:ils?|elles?|eux|lui|on|celui-ci|celle-ci|ce dernier|cette dernière)$", re.IGNORECASE
)
_NAME_ONLY = 4  # words in guillemets: « Ciel ouvert » names, it is nobody's statement
_MOST = 14  # words of a subject


def _framed(sentence: str) -> Attribution | None:
    """Return the statement that a frame of reporting shows: « selon X », « X assure que », and so on."""
    # What is quoted says nothing about who quotes it.
    outside = re.sub(r"«[^«»]*»", lambda m: "·" * len(m.group()), sentence)
    outside = _DATELINE.sub("", outside)
    if not (first := _ACCORDING.match(outside)):
        outside = _OPENING.sub("", outside)
        for pattern in (_PREPOSED, _DIRECTLY, _ANNOUNCES, _COLON):
            found = pattern.match(outside)
            if pattern is _ANNOUNCES and _POSTPOSED.search(outside):
                continue
            if found and _speaks(found["who"]):
                return _statement(found, found.groupdict().get("verb") or ":")
        for found in (_FOR.match(outside), _POSTPOSED.search(outside)):
            if found:
                return _statement(found, found.group())
    for match in (first, *_ACCORDING.finditer(outside), *_FROM_SOURCE.finditer(outside)):
        if match and _OURS.match(match["who"]):
            return REPORTED
        if match and not _NOBODY.match(match["who"]):
            return _statement(match, match.group())
    return None


def _speaks(who: str) -> bool:
    """Tell whether a subject can be somebody who speaks."""
    subject = _OPENING.sub("", who).strip(" ,")
    words = subject.split()
    bare = len(words) == 1 and words[0].lower() in {
        "le",
        "la",
        "les",
        "un",
        "une",
        "l'",
        "qui",
        "que",
    }
    return bool(words) and not bare and len(words) <= _MOST and not _NOBODY.match(subject)


def _statement(match: re.Match[str], marker: str) -> Attribution:
    groups = match.groupdict()
    who = _OPENING.sub("", (groups.get("who") or "").strip(" ,"))
    # « Les pompiers ont dit et répété », « X met en cause Y et avance » : the subject comes first.
    who = _PREDICATE.split(f"{who} ")[0].strip(" ,.")
    who = re.sub(r"^(?:que |qu'|et |mais |or |car |puis )", "", who)
    if _PRONOUNS.match(who):
        who = ""
    if who and (name := _PERSON.search(groups.get("name") or "")) and not _PERSON.search(who):
        who = f"{who}, {name.group()}"
    return Attribution(Kind.STATEMENT, who, marker.strip(" ,»?!·."))


def _quoted(sentence: str, before: str, after: str) -> Attribution | None:
    """Return the statement that guillemets show, when they hold more than a name."""
    within = before.rfind("«") > before.rfind("»")
    if within or sentence.startswith("—") or sentence.rfind("«") > sentence.rfind("»"):
        return replace(_said_after(after), marker="« »")
    held = [m.group(1) for m in _GUILLEMETS.finditer(sentence)]
    spoken = [piece for piece in held if len(piece.split()) > _NAME_ONLY]
    if spoken and sum(map(len, spoken)) > 0.3 * len(sentence):
        named = _PERSON.search(_GUILLEMETS.sub(" ", sentence))
        return Attribution(Kind.STATEMENT, named.group() if named else "", "« »")
    return None


def _said_after(after: str) -> Attribution:
    """Return who is named where a quotation that goes on ends."""
    closing = after.find("»")
    match = _POSTPOSED.match(after[closing:]) if closing >= 0 else None
    return _statement(match, "") if match else Attribution(Kind.STATEMENT)


def _conditional(sentence: str) -> Attribution | None:
    """Return the hearsay of « aurait », « serait », unless a condition explains it."""
    if _IF.search(sentence):
        return None
    for match in _HEARSAY.finditer(re.sub(r"«[^«»]*»", "", sentence)):
        # « n'a pas confirmé qu'elle resterait » is the future seen from the past.
        clause = match.string[: match.start()]
        if re.search(r"\bqu(?:e |')[^,;]*$", clause):
            continue
        if not _NOT_HEARSAY.fullmatch(match.group().lower()):
            return Attribution(Kind.CONDITIONAL, "", match.group())
    return None


def _earlier_speaker(before: str) -> str:
    """Return the last person named shortly before, or ""."""
    named = [m.group(m.lastindex or 0) for m in _NAMED.finditer(before[-400:])]
    return named[-1] if named else ""
