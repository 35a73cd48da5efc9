"""Who says what a sentence says: the newsroom, somebody it quotes, or nobody quite.

« selon X », « a déclaré X », « X assure que », words in guillemets, and the
conditional of hearsay (« aurait »). A sentence that somebody says is evidence
that it was said, not that it is so. Rules over French reporting verbs and
frames; the words that show it are kept, so that a reader can judge.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files

from rag.domain import Attribution, Kind
from rag.french.conditional import is_conditional
from rag.french.gender import fits, of_pronoun
from rag.french.names import CIVILITY, TITLE
from rag.french.quotations import Quoted, mark_quotations
from rag.french.sentences import Span, sentence_spans
from rag.french.speakers import QUOTE, is_person, main_subject, trimmed

# One character for one, so that offsets stand.
_PLAIN = str.maketrans(
    {"’": "'", "\u00a0": " ", "\u202f": " ", "\n": " ", "“": "«", "”": "»", "‑": "-"}
)


REPORTED = Attribution(Kind.REPORTED)
QUOTATION = "« »"  # the marker of words that stand in a quotation, whoever is quoted


def attribute(text: str, start: int = 0, end: int | None = None, title: str = "") -> Attribution:
    """Return who says the sentence `text[start:end]`; see `attributions`."""
    end = len(text) if end is None else end
    before = [span for span in sentence_spans(text[:start]) if span[1] > start - _ANTECEDENT_WINDOW]
    return attributions(text, [*before[-_SENTENCES_BEFORE:], (start, end)], title)[-1]


def attributions(text: str, spans: Sequence[Span], title: str = "") -> list[Attribution]:
    """Return who says each of the sentences that `spans` cut out of `text`, in order.

    The text around one tells whether it stands inside a quotation that began
    before it, and who « il » is; `title` does when nothing stands before it.
    Offsets in characters.
    """
    reader = _Reader(mark_quotations(text).translate(_PLAIN), title.translate(_PLAIN))
    return [reader.read(start, end) for start, end in spans]


class _Reader:
    """Reads the sentences of a text in order, and remembers who spoke last."""

    def __init__(self, plain: str, title: str) -> None:
        self._plain, self._title = plain, title
        self._quoted = Quoted(plain)
        self._last, self._last_at = "", -_ANTECEDENT_WINDOW
        self._before: list[Span] = []

    def read(self, start: int, end: int) -> Attribution:
        """Return who says a sentence."""
        found = self._read(start, end)
        if found.kind is Kind.STATEMENT:
            speaker = found.speaker
            if not speaker or _PRONOUNS.match(speaker):
                speaker = self._resolved(speaker, start)
            found = replace(found, speaker=speaker)
            if speaker:
                self._last, self._last_at = speaker, end
        self._before.append((start, end))
        return found

    def _read(self, start: int, end: int) -> Attribution:
        sentence = self._plain[start:end]
        outside = _DATELINE.sub("", self._without_quotes(start, end).strip())
        pieces = [self._plain[a:b].strip(' «»“”"') for a, b in self._quoted.within(start, end)]
        long = sum(len(p) for p in pieces if len(p.split()) > _NAME_ONLY)
        if re.fullmatch(rf"\W*{QUOTE}\W*", outside) and any(len(p.split()) > 1 for p in pieces):
            long = len(sentence)  # nothing but a quotation
        found = _framed(outside)
        if found and found.speaker and not _PRONOUNS.match(found.speaker):
            if who := trimmed(found.speaker):
                return replace(found, speaker=who)
        elif found:
            return found
        last = self._quoted.around(end)
        goes_on = self._quoted.around(start) or (last is not None and last[1] > end)
        if goes_on or long > 0.3 * len(sentence) or sentence.startswith("—"):
            return Attribution(Kind.STATEMENT, self._of_quotation(start, end), QUOTATION)
        return _conditional(outside) or REPORTED

    def _without_quotes(self, start: int, end: int) -> str:
        parts, done = [], start
        for a, b in self._quoted.within(start, end):
            parts += [self._plain[done:a], QUOTE]
            done = b
        return "".join((*parts, self._plain[done:end]))

    def _of_quotation(self, start: int, end: int) -> str:
        """Return who is named before a quotation, or where it ends; "" for nobody."""
        whole = [self._quoted.around(start), self._quoted.around(end)]
        a, b = next((q for q in whole if q), None) or next(
            iter(self._quoted.within(start, end)), (start, end)
        )
        after = _CLAUSE.match(self._plain, b)
        if after and (found := _framed(f"{QUOTE}{after.group()}")):
            return trimmed(found.speaker)
        head = self._plain[max(0, a - 200) : a]
        spans = sentence_spans(head)
        introduction = head[spans[-1][0] :] if spans else ""
        if introduction.rstrip().endswith(":") and (found := _framed(f"{introduction}{QUOTE}.")):
            return trimmed(found.speaker)
        return ""

    def _resolved(self, pronoun: str, start: int) -> str:
        """Return who « il » is, or whose a quotation without a name: who spoke, or was named, last.

        A quotation goes on with who spoke last; « il » may be who does something since, and is
        nobody whose name or function tells another gender.
        """
        gender = of_pronoun(pronoun)
        near = self._last if start - self._last_at < _ANTECEDENT_WINDOW else ""
        if not fits(near, gender, self._plain[:start]):
            near = ""
        if near and not pronoun:
            return near
        for a, b in reversed(self._before[-_SENTENCES_BEFORE:]):
            if near and b <= self._last_at:
                return near
            subject = main_subject(self._without_quotes(a, b))
            if subject and fits(subject, gender, self._plain[:start]):
                return subject
        return near or _earlier_speaker(
            self._plain[max(0, start - _NAMED_WITHIN) : start] or self._title, gender
        )


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
    rf"[dà]e? ?nouveau|hier|au contraire|{_DAY}|à l'[A-Z]+|à la presse|au \w+|à [A-ZÀ-Þ]\w+) )?"
)
_IMPERFECT = r"(?:affirm|assur|déclar|dis|expliqu|estim|indiqu|jur|soutien?|prétend)(?:ait|aient)"
_VERB = (
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
_WHO = rf"(?P<who>{TITLE}? ?[\w'][^,;:.?!»«()·]*?(?:(?<=\b[A-Z])\.[^,;:?!»«()·]*?)?)"
_APPOSED = (
    r"(?P<name>, (?:M\.|Mme|Me|l[ea] [a-zé]+)? ?[A-ZÀ-Þ][\w'-]+"
    r"(?: (?:d[eu] |ben |van |von |al-|el-)?[A-ZÀ-Þ][\w'-]+)+)?"
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
    rf"{CIVILITY} [A-ZÀ-Þ]|[A-ZÀ-Þ][\w'-]+ [A-ZÀ-Þ])[^,«»]*?){_APPOSED},"
)
_COMPLEMENT = (
    r"(?:que |qu'|de |d'|à |sur |ce |cette |ces |en |par |avoir |être |au |"
    rf"(?:une?|des|son|sa|ses|leurs?) (?!{_ROLE}|conseill|témoin|source|proche|voisin|cousin|frère|"
    r"sœur|père|mère|épou|femme|mari|fils|fille|client|adjoint|collègue))"
)
_POSTPOSED = re.compile(
    rf"(?:[»,?!·])\s*,?\s*(?:(?P<inverted>{_INVERTED})|"
    rf"(?:m'|nous |lui |leur )?{_VERB} (?!{_COMPLEMENT}){_ADVERB}{_WHO}{_APPOSED}{_END})"
)
# « Le juge a estimé » : the noun, not the verb.
_NOT_BARE = r"(?<!^Le)(?<!^La)(?<!^Un)(?<!^Une)(?<!^Les)(?<!^Des)"
# « X, maire de Y, a assuré que… » ; a direct verb needs no « que ».
_PREPOSED = re.compile(
    rf"^(?P<who>[^«»:;·,]*?){_NOT_BARE}(?P<name>,[^«»:;·]{{0,80}}?,)? "
    rf"(?:mais |ne |n'|l'|le |en |y |leur |lui )?(?P<verb>{_VERB})(?= {_ADVERB}(?:que |qu'|«|·|:|d?'?«|"
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
# « X, qui avait menacé…, a ajouté que », « Deux heures après, X indiquait : « … » ».
_OPENED = re.compile(
    rf"^(?P<who>(?:(?:L[ea] |L'|Les |M\. |Mme )(?:[\w'-]+ )?)?[A-ZÀ-Þ][\w'-]+(?: [A-ZÀ-Þ][\w'-]+)*), "
    rf"(?:qui|dont)\b.*?(?:,| mais) (?P<verb>{_VERB})(?= (?:que |qu'|«))"
)
_VERB_QUOTE = re.compile(rf"(?:^|, )(?P<who>[^«»:;·,.]{{2,60}}?) (?P<verb>{_VERB}|indiquait) ?: ?«")
_COLON = re.compile(
    r"^(?!.*selon)(?P<who>[A-ZÀ-Þ][^«»:;·,.]{2,80}?)(?P<name>,[^«»:·]{0,80})? ?: ?[«·]"
)
_OPENING = re.compile(
    rf"^(?:(?:{_DAY}|hier|mais|or|et|de son côté|pour sa part|dans un communiqué|le \d+ \w+|"
    r"(?:interrogé|joint|(?:s')?\w{3,}ant (?:à|de|sur|que|les?|la|l'))[^,]*|en \d{4}|"
    r"quant à (?:lui|elle|eux)|toutefois|cependant|pourtant|"
    r"(?:devant|au lendemain|depuis|après|face à|lors d|à l'issue|à la barre|à l'audience|sur place)"
    r"[^,]*),?\s+)+",
    re.IGNORECASE,
)
# « aurait dû », « voudrait », « devrait » : wishes, duties and plans, not hearsay.
_WISHED = re.compile(
    r"(?:aurai(?:t|ent) (?:\w+ment )?(?:dû|pu|voulu|aimé|préféré|fallu|souhaité)|"
    r"(?:voud|aime|souhaite|préfère|fau|dev|pour|fe|vaud|convien|suffi|dirait)\w*r?ai(?:t|ent))\b"
)
_CLAUSE = re.compile(r"[^.!?\n«]{3,160}")
_WORDS = re.compile(r"[\wà-ÿ-]+")
_ANTECEDENT_WINDOW = 700  # characters in which « il » is who spoke last
_SENTENCES_BEFORE = 4  # sentences
_NAMED_WITHIN = 400  # characters before a sentence in which who speaks may be named
_IF = re.compile(r"\b(?:si|s'il|s'ils|au cas où)\b", re.IGNORECASE)
_PREDICATE = re.compile(rf" (?:met|mettent|ne|n'|s'est|est|sont|a|ont|{_DIRECT}) ")
_DATELINE = re.compile(r"^[A-ZÀ-Þ' -]{3,}(?: \([^)]*\))? ?[—–-] ")
_PERSON = re.compile(
    rf"(?:{CIVILITY} )?[A-ZÀ-Þ][\w'-]+"
    r"(?: (?:de |du |d'|des |ben |van |von |al-|el-)?[A-ZÀ-Þ][\w'-]+)+"
)
_NAMED = re.compile(rf"{_PERSON.pattern}|(?<=, )([A-ZÀ-Þ][\w'-]+)(?=, \d+ ans)")
_PRONOUNS = re.compile(
    r"^(?:ils?|elles?|eux|lui|on|celui-ci|celle-ci|ce dernier|cette dernière)$", re.IGNORECASE
)
_NAME_ONLY = 4  # words in guillemets: « Ciel ouvert » names, it is nobody's statement
_MOST_SUBJECT_WORDS = 14  # words of a subject


def _framed(sentence: str) -> Attribution | None:
    """Return the statement that a frame of reporting shows: « selon X », « X assure que », others.

    `sentence` has `QUOTE` for its quotations: what is quoted says nothing about who quotes it.
    """
    outside = _DATELINE.sub("", sentence)
    first = _ACCORDING.match(outside)
    if not first:
        outside = _OPENING.sub("", outside)
        if found := _with_verb(outside):
            return found
    for match in (first, *_ACCORDING.finditer(outside), *_FROM_SOURCE.finditer(outside)):
        if match and _OURS.match(match["who"]):
            return REPORTED
        if match and not _NOBODY.match(match["who"]):
            return _statement(match, match.group())
    return None


def _with_verb(outside: str) -> Attribution | None:
    inserted = _POSTPOSED.search(outside)
    if opened := _OPENED.match(outside) or _VERB_QUOTE.search(outside):
        return _statement(opened, opened["verb"])
    for pattern in (_PREPOSED, _DIRECTLY, _ANNOUNCES, _COLON):
        found = pattern.match(outside)
        if not found or not _speaks(found["who"]) or (pattern is _ANNOUNCES and inserted):
            continue
        # Without « que » or a quotation the verb says little: its subject must be somebody.
        if pattern in {_DIRECTLY, _ANNOUNCES} and not is_person(found["who"].strip(" ,")):
            continue
        return _statement(found, found.groupdict().get("verb") or ":")
    marker = _FOR.match(outside) or inserted
    return _statement(marker, marker.group()) if marker else None


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
    return (
        bool(words)
        and not bare
        and len(words) <= _MOST_SUBJECT_WORDS
        and not _NOBODY.match(subject)
    )


def _statement(match: re.Match[str], marker: str) -> Attribution:
    groups = match.groupdict()
    who = _OPENING.sub("", (groups.get("who") or "").strip(" ,"))
    # « Les pompiers ont dit et répété », « X met en cause Y et avance » : the subject comes first.
    who = _PREDICATE.split(f"{who} ")[0].strip(" ,.")
    who = re.sub(r"^(?:que |qu'|et |mais |or |car |puis )", "", who)
    if inverted := re.search(r"-(il|elle|ils|elles|on)\b", groups.get("inverted") or ""):
        who = inverted[1]
    if who and (name := _PERSON.search(groups.get("name") or "")) and not _PERSON.search(who):
        who = f"{who}, {name.group()}"
    return Attribution(Kind.STATEMENT, who, marker.strip(" ,»?!·."))


def _conditional(outside: str) -> Attribution | None:
    """Return the hearsay of « aurait », « serait », unless a condition or a wish explains it."""
    if _IF.search(outside):
        return None
    for match in _WORDS.finditer(outside):
        if not is_conditional(match.group().lower()) or _WISHED.match(outside, match.start()):
            continue
        # « n'a pas confirmé qu'elle resterait » is the future seen from the past.
        if not re.search(r"\bqu(?:e |')[^,;]*$", outside[: match.start()]):
            return Attribution(Kind.CONDITIONAL, "", match.group())
    return None


def _earlier_speaker(before: str, gender: str) -> str:
    """Return the last person named shortly before whom a pronoun may stand for, or ""."""
    named = (m.group(m.lastindex or 0) for m in _NAMED.finditer(before[-_NAMED_WITHIN:]))
    return next((n for n in reversed(list(named)) if fits(n, gender, before)), "")
