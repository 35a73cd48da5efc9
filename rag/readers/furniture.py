"""What a page says around an article: buttons, links to others, notices to visitors.

A line is furniture when all of it is, sentence by sentence, one of a few closed
forms, never because it begins like one: « Lire la suite » is a button, « Lire
la suite du procès demande du courage » is the article. The forms are of two
kinds. A label or a button is known whole, word for word. A link or a notice
has an open part; what introduces it or what it offers is known (a colon and a
title, a newsletter, cookies), and nobody tells it: a line where somebody
speaks, or that has a third person do something, stays.
"""

from __future__ import annotations

import re

from rag.french.dates import MONTHS
from rag.french.sentences import sentences
from rag.french.words import fold
from rag.readers.links import may_hold_sentence

_LONGEST_NOTICE = 500  # characters of a notice
_ORNAMENTS = " \t\u00a0\u202f[](){}►▶→⇒➔›>•*|·–—-+#"
_ENDS = _ORNAMENTS + ".!…:"

_NETWORK = (
    r"(?:facebook|twitter|x|linkedin|whatsapp|bluesky|telegram|messenger|instagram|tiktok|youtube|"
    r"pinterest|threads|mastodon|snapchat|reddit|flipboard|google(?: news)?|sms|e-?mail|mail|"
    r"courriel|messagerie)"
)
_AND = r"(?:[\s,|·/•-]+(?:et |ou )?)"
_THING = (
    r"(?:articles?|contenus?|pages?|liens?|videos?|photos?|diaporamas?|dossiers?|podcasts?|"
    r"infographies?|cartes?|directs?|sujets?|rubriques?|reportages?|portfolios?|series?|episodes?)"
)
_THE = (
    r"(?:l'|(?:le|la|les|cet|cette|ce|ces|notre|nos|mes|mon|vos|un|une|"
    r"tous nos|toutes nos|de nos) )"
)
_PRESS = (  # what a visitor does to a page
    r"(?:partage[rz]|envoye[rz]|transfere[rz]|recommande[rz]|imprime[rz]|commente[rz]|reagir|"
    r"reagissez|enregistre[rz]|sauvegarde[rz]|ajoute[rz]|copie[rz]|signale[rz]|aime[rz]|ecoute[rz]|"
    r"suivre|suivez-nous|rejoignez-nous|retrouvez-nous|contactez-nous|like[rz])"
)
_SHARED = (
    rf"(?:(?:a |aux )?{_THE}?(?:{_THING}|amis?|favoris|erreur|faute|probleme|abus|redaction|texte)"
    r"|tout|le lien)"
)
_THROUGH = (
    rf"(?:sur|par|via|avec|a|dans)(?: (?:nos|les|vos|mes))? (?:{_NETWORK}|reseaux sociaux)"
    rf"(?:{_AND}{_NETWORK})*"
)
_BUTTON = (
    rf"(?:{_PRESS}(?: {_SHARED})?(?: {_THROUGH})?|{_NETWORK}|"
    r"\d+ (?:commentaire|partage|reaction|vue)s?)"
)

_AGAIN = r"(?:aussi|egalement|encore|davantage|plus|ailleurs)"
_SEE = (
    r"(?:(?:a )?(?:lire|relire|voir|revoir|ecouter|decouvrir|consulter)|"
    r"(?:re)?(?:lisez|voyez|ecoutez|decouvrez|trouvez|consultez))"
)
_LINK = (
    rf"(?:{_SEE}(?: {_AGAIN})?(?: (?:{_THE}{_THING}(?: (?:complete?s?|entiere?s?|integrale?s?))?|"
    r"la suite|tout|en (?:video|images|direct)|sur (?:le|notre) (?:meme sujet|site)))?|"
    rf"(?:en )?savoir plus|pour (?:en savoir plus|aller plus loin)|"
    rf"(?:articles?|contenus?|videos?) (?:lie|similaire|recommande|associe|precedent|suivant)s?|"
    rf"sur le meme (?:sujet|theme)|dans (?:la meme rubrique|le meme dossier)|"
    rf"(?:les )?(?:articles? )?(?:les )?plus (?:lu|vu|commente|partage)e?s|"
    rf"(?:notre|nos)(?: \w+)? {_THING}(?: sur [^:]{{1,60}})?|(?:a la une|mots[ -]cles|tags?))"
)
_INTRODUCED = re.compile(rf"(?P<label>{_LINK})\s*(?:[:>|→►▶»➔⇒–—]|->|=>)\s*(?P<title>\S.{{0,250}})")
_CAPITALS = re.compile(r"[^a-zà-öø-ÿœæ]{6,40}[A-ZÀ-ÖØ-Þ]{2}(?=[\s.:])")

_CHOICE = (
    r"(?:accepter|refuser|continuer|parametrer|personnaliser|gerer|fermer|enregistrer|confirmer|"
    r"valider|j'accepte|je refuse|accepte[rz]|configurer|d'accord|ok|non merci)"
)
_CHOSEN = (
    r"(?:tout|(?:mes|les|vos|nos|des) (?:choix|preferences|cookies|traceurs|reglages)|"
    r"sans accepter|(?:la|ma) navigation|et fermer)"
)
_CHOOSE = rf"(?:(?:tout )?{_CHOICE}(?: {_CHOSEN})?|{_CHOSEN})"

_DAY = (
    r"(?:(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche) )?"
    rf"(?:\d{{1,2}}(?:er)? (?:{'|'.join(fold(m) for m in MONTHS)}|[a-z]{{3,5}}\.?) \d{{4}}|"
    r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{4}-\d\d-\d\d)"
)
_TIME = r"(?:\d{1,2} ?[h:] ?\d{0,2}(?: ?min)?)"
_STAMP = (
    r"(?:(?:publie|mis en ligne|mise? a jour|modifie|paru|poste|cree|actualise)e?s? "
    rf"(?:le |: ?)?{_DAY}(?:(?: a|,| -| –)? {_TIME})?)"
)
_PAID = (
    r"(?:(?:articles?|contenus?|offres?)(?: est| sont)?|(?:la suite|le reste)(?: est)?) "
    r"(?:reservee?s?|payante?s?) (?:aux|a nos) abonnee?s"
)
_SIGN = (
    r"(?:s'abonner|abonnez-vous|je m'abonne|se connecter|connectez-vous|s'inscrire|"
    r"inscrivez-vous|s'identifier|identifiez-vous|creer un compte|offrir (?:cet|l') ?article)"
)
_SOLD = "|".join(
    (
        r"publicites?|annonces?|publi-?(?:redactionnel|reportage)",
        rf"(?:(?:cet?|le|l') ?)?{_PAID}",
        r"(?:article|contenu|lien)s? (?:sponsorise|partenaire|payant)s?",
        r"(?:la )?suite(?: de (?:votre|l'|cet|ce) ?(?:contenu|article|lecture|video))? "
        r"(?:apres|sous) (?:la|cette) (?:publicite|annonce|video)",
        r"il vous reste \d+(?:[.,]\d+)? ?% (?:de (?:cet|l') ?article )?"
        r"a (?:lire|decouvrir|ecouter)",
        rf"{_SIGN}(?: (?:ici|gratuitement|maintenant|(?:a|aux) (?:notre|nos|la|les) newsletters?|"
        r"pour (?:lire|decouvrir) la suite))?",
        r"(?:vous etes )?(?:deja|pas encore|nouvel) abonnee?s?(?: ?\?)?"
        r"(?: (?:connectez|identifiez|abonnez)-vous)?",
    )
)
_KINDS = [
    ("date de publication", re.compile(rf"{_STAMP}(?:[\s,.|·–-]*{_STAMP})*")),
    ("renvoi", re.compile(_LINK)),
    ("partage", re.compile(rf"{_BUTTON}(?:{_AND}{_BUTTON})*")),
    ("cookies", re.compile(rf"{_CHOOSE}(?:(?: et |[\s,|·/•-]+){_CHOOSE})*")),
    ("promotion", re.compile(_SOLD)),
]

# Notices, in the voice of the site to its visitor.
_COOKIES = re.compile(r"\b(?:cookies?|traceurs)\b")
_VISITED = re.compile(r"\b(?:nous|nos|notre|vous|votre|vos|ce site)\b")
_PURPOSES = re.compile(
    r"\b(?:navig\w+|audience|experience|publicit\w+|contenus?|appareil|terminal|trafic|partenaires|"
    r"consent\w+|site|services|statistiques|fonctionnalites|preferences|finalites)\b"
)
_OFFERING = re.compile(
    r"(?:[^:]{1,30}: ?)?(?:abonnez-vous|inscrivez-vous|recevez|telechargez|decouvrez|profitez|"
    r"soutenez|rejoignez|connectez-vous|creez|activez|installez|retrouvez|ne manquez|restez)\b"
)
_OFFERED = re.compile(
    r"(?<!\w)(?:newsletters?|infolettres?|lettres? (?:d'information|quotidiennes?|hebdomadaires?)|"
    r"abonnements?|sans engagement|offre (?:numerique|d'essai|speciale|decouverte)|"
    r"(?:notre|nos|l') ?appli(?:cation)?s?(?: mobiles?)?|alertes|notifications|"
    r"boites? (?:e-?mail|mail|aux lettres|de reception)|par (?:e-?mail|courriel)|"
    r"(?:€|euros?) (?:par|/|le|les) ?(?:mois|an|semaine)|la suite de (?:cet|l') ?article|"
    r"app store|google play)"
)

# What somebody tells: quotation marks, an incise, a third person.
_INCISE = re.compile(
    r", (?:(?:a|ont|avait|avaient|aurait)(?:-t-(?:il|elle|on)| \w+)|"
    r"\w+(?:-t)?-(?:il|elle|on|ils|elles)\b|"
    r"\w{3,}(?:e|t|d|c|ent) (?:l['’]|d['’]|M\.|Mme|Me|[A-ZÀ-Þ]|"
    r"(?:le|la|les|un|une|des|son|sa|ses|leur|ce|cet|cette|monsieur|madame|maître)\b))"
)
_THIRD = re.compile(r"\b(?:a|ont|avait|avaient|est|sont|était|étaient|sera|seront|fut|va|vont)\b")


def noise(line: str) -> str:
    """Return what kind of page furniture a line is, or "" for a line of the article."""
    if len(line) > _LONGEST_NOTICE or not line.strip():
        return ""
    if kind := _kind(line):
        return kind
    kinds = [_kind(sentence) for sentence in sentences(line)]
    return kinds[0] if kinds and all(kinds) else ""


def _kind(text: str) -> str:
    bare = fold(text).strip(_ORNAMENTS + "«»").rstrip(_ENDS + "»")
    for kind, form in _KINDS:
        if form.fullmatch(bare):
            return kind
    if _has_quotation(text):
        return ""
    if _INTRODUCED.fullmatch(bare) or _titled_in_capitals(text):
        return "" if may_hold_sentence(text) else "renvoi"
    if _THIRD.search(text.lower()):
        return ""
    if _COOKIES.search(bare) and _VISITED.search(bare) and _PURPOSES.search(bare):
        return "cookies"
    return "promotion" if _OFFERING.match(bare) and _OFFERED.search(bare) else ""


def _titled_in_capitals(text: str) -> bool:
    """Tell whether a link's label stands in capitals before a title: « À LIRE AUSSI Le marché »."""
    label = _CAPITALS.match(text.lstrip(_ORNAMENTS))
    return bool(label and re.fullmatch(_LINK, fold(label.group()).strip(_ENDS)))


def _has_quotation(text: str) -> bool:
    return bool(re.search('[“”"]|«.+»', text) or _INCISE.search(text))
