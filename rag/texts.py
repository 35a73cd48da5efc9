"""The French texts that Recoupe shows, in one place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from rag.french.dates import format_date
from rag.french.typography import typographic
from rag.markup import printable

if TYPE_CHECKING:
    from rag.domain import (
        ArticleRecord,
        Citation,
        Erasure,
        Failure,
        IngestReport,
        Source,
        SourceState,
    )

_MOST_BARRED = 5  # articles that an ingestion names for they stay removed
NO_ANSWER = (
    "Je n’ai pas trouvé de réponse à cette question dans les articles. "
    "Voici les phrases les plus proches\u202f; aucune n’y répond avec assez de certitude."
)
NO_ANSWER_ONE = (
    "Je n’ai pas trouvé de réponse à cette question dans les articles. "
    "Voici la phrase la plus proche\u202f; elle n’y répond pas avec assez de certitude."
)
TENTATIVE_ANSWER = (
    "Je n’ai pas trouvé de réponse certaine à cette question dans les articles\u202f; une phrase y "
    "répond peut-être."
)
PERHAPS = "Peut-être\u00a0:"
IN_TITLE = "{}, dans le titre\u00a0:"
NO_PASSAGE = "Je n’ai trouvé aucun passage en rapport avec cette question dans les articles."
EMPTY_INDEX = (
    "L’index ne contient aucun article\u00a0: lancez «\u00a0recoupe ingest corpus/\u00a0»."
)
UNSUPPORTED_MARK = "(non appuyé par les articles cités)"
UNSUPPORTED_NOTICE = (
    "Une phrase au moins n’est pas appuyée par les articles cités\u00a0: vérifiez-la."
)
CHRONICLE = "Ce que disent les articles, du plus ancien au plus récent\u00a0:"
CHRONICLE_BUT_UNDATED = (
    "Ce que disent les articles, du plus ancien au plus récent, puis ceux qui n’ont pas de "
    "date\u00a0:"
)
NO_CHRONICLE = "Ce que disent les articles, dont l’ordre dans le temps n’est pas connu\u00a0:"
SOURCES = "Sources"
SHARED = "En commun avec la question\u00a0: {}."
AUTOMATIC = (
    "Réponses composées automatiquement, avec les phrases des articles\u00a0: ouvrez la source "
    "avant de les reprendre."
)
COMPLETED = "Question comprise ainsi\u00a0: {}"
ABOUT_TERMS = "{} (à propos de\u00a0: {})"
CONTEXT = "Compris avec ce qui précède\u00a0:"
WITHOUT_CONTEXT = "Demander sans «\u00a0{}\u00a0»"
SOUGHT = "Cherché dans {}\u00a0: {}."
FILTERED_BY = "{} (filtres\u00a0: {})"
WITHOUT_FILTERS = "Chercher sans les filtres"
SEARCHING = "Je cherche dans {}…"
READING = "Je lis {}…"
DESCRIPTION = (
    "Posez une question à des articles de presse\u00a0: chaque phrase de la réponse porte le "
    "passage dont elle vient."
)
STOPPED = "Réponse arrêtée à votre demande\u00a0: la question est de nouveau dans le champ."
ASK_IN_FRENCH = "Les articles sont en français\u00a0: posez la question en français."
SEE_NAMES = "la liste du filtre donne ceux qu’il y a."
ANSWERED_WITHIN = "Cherché avec ces filtres\u00a0: {}."
CORPUS_CHANGED = (
    "Le corpus a changé depuis que ce lien a été copié\u00a0: la réponse peut être différente."
)
LONG_ASKED = (
    "La question dépasse {} caractères\u00a0: raccourcissez-la dans le champ, où elle est gardée, "
    "ou collez ce texte dans l’onglet «\u00a0Vérifier\u00a0»."
)
ARTICLE_OF_LINK_GONE = (
    "L’article auquel ce lien renvoyait n’est plus dans le corpus\u00a0: la question est posée à "
    "tous les autres."
)
AFTER_QUESTION = "{} (à la suite de «\u00a0{}\u202f?\u00a0»)"

NO_CITATION = "aucun passage n’est cité"
INVENTED_CITATION = "le passage cité n’existe pas"
ABSENT_NUMBER = "nombre absent des passages cités\u00a0: {}"
ABSENT_NAME = "nom absent des passages cités\u00a0: {}"
ABSENT_WORDS = "les passages cités ne disent pas cela"
REVERSED = "le passage cité semble dire le contraire"
UNSAFE_TEXT = "la phrase contient un lien ou du balisage que les passages n’ont pas"
INSTRUCTION = "le passage cité est une consigne donnée à un programme, pas une information"
WRONG_WEIGHING = "le nombre de sources ne correspond pas aux passages cités"
WEIGHED = "Une source"  # for « deux sources sur trois », where the rest is compared
SAME_FIGURE = "{} dans l’affirmation et dans les passages cités"
DERIVED_FIGURE = "{}\u00a0: cela se calcule avec les chiffres des passages cités"
LIKE_FIGURE = "{} dans l’affirmation, et {} dans les passages cités"
OTHER_FIGURE = "{} dans l’affirmation, {} dans les passages cités"
OTHER_CURRENCY = "autre monnaie\u00a0: {} dans l’affirmation, {} dans les passages cités"
OTHER_NAME = (
    "«\u00a0{}\u00a0» dans l’affirmation, «\u00a0{}\u00a0» à cette place dans le passage cité"
)
EXCHANGED = "«\u00a0{}\u00a0» et «\u00a0{}\u00a0» semblent échangés"
CONTRARY = "«\u00a0{}\u00a0» dans l’affirmation, «\u00a0{}\u00a0» dans le passage cité"
ALL_FOR_SOME = "l’affirmation vaut pour tous, le passage cité pour certains"
OTHER_ROLE = (
    "«\u00a0{}\u00a0»\u00a0: le passage cité ne le dit pas de la même chose ou de la même personne"
)
NOT_SURE = (
    "«\u00a0{}\u00a0»\u00a0: fait accompli dans l’affirmation, au conditionnel dans le passage cité"
)
NOT_DONE = (
    "«\u00a0{}\u00a0»\u00a0: fait accompli dans l’affirmation, à venir ou souhaité dans le passage "
    "cité"
)
ALLEGED = (
    "le passage cité parle d’une accusation, d’un soupçon ou d’un démenti («\u00a0{}\u00a0»), "
    "l’affirmation d’un fait"
)
WORD_DROPPED = "le passage cité rapporte un propos ou un bruit, l’affirmation en fait un fait"

TOO_LONG = "La phrase est trop longue pour une seule affirmation\u00a0: coupez-la."
IS_QUESTION = "C’est une question\u00a0: seule une affirmation se vérifie."
IS_TITLE = "C’est le titre du texte\u00a0: ses phrases sont vérifiées."
IS_OPINION = (
    "C’est un jugement, un conseil, un souhait ou une consigne, que des faits ne tranchent pas."
)
NO_SUBJECT = "On ne sait pas de qui ou de quoi la phrase parle\u00a0: nommez-le."
NOT_FRENCH = "La phrase n’est pas en français\u00a0: traduisez-la."
NO_STATEMENT = "La phrase n’affirme rien qui se vérifie\u00a0: il lui manque un sujet ou un verbe."
SUPPORTED = "{} rapporte ce fait."
SAID_SO = "{} rapporte ces propos\u202f; cela ne prouve pas ce qu’ils affirment."
CONTRADICTED = "{} rapporte autre chose\u00a0: {}."
DIVERGING = "Les sources se contredisent\u00a0: {} le soutient, {} dit autre chose."
DENIES = "la personne citée le dément ou s’en défend («\u00a0{}\u00a0»)"
SAYS_OTHERWISE = "les mots cités ne disent pas cela"
DECLARED = "{} {}, d’après {}\u202f; aucun article ne le rapporte comme un fait."
SOMETHING_ELSE = "la phrase citée dit le contraire"
DENIED = (
    "{} {} autre chose, d’après {}\u00a0: {}\u202f; aucun article ne le rapporte comme un fait."
)
HEARSAY = "Les articles n’en parlent qu’au conditionnel."
CLOSE = "Aucune phrase ne tranche\u202f; la plus proche\u00a0: {}."
UNSETTLED = "Aucune phrase ne tranche\u202f; {}."
NOTHING_FOUND = "Aucune phrase trouvée dans les articles ne dit cela, ni le contraire."
CORRECTED = "La correction du {} l’emporte sur ce qui avait été publié avant."
NEWER = "Le chiffre publié le {}, plus récent, remplace les précédents."
NEWER_STATE = "L’article du {}, plus récent, dit où l’on en est depuis."
SOMEBODY = "quelqu’un que l’article ne nomme pas ici"
PROVENANCE = (
    "Vérifié le {} à {} par Recoupe\u00a0{}\u202f; comparaison\u00a0: {}\u202f; "
    "embeddings\u00a0: {}\u202f; corpus de {}, version {}."
)
DECISIONS = {
    "accepted": "Verdict accepté par le journaliste",
    "rejected": "Verdict rejeté par le journaliste",
    "corrected": "Verdict corrigé par le journaliste",
}
MARKS = {"accepted": "✓\u00a0accepté", "rejected": "rejeté", "corrected": "✓\u00a0corrigé"}
CORRECTED_VERDICT = "{} (corrigé\u202f; la machine\u00a0: {})"
VERIFY_WELCOME = (
    "Collez une affirmation, un paragraphe ou une liste\u00a0: chaque affirmation est comparée aux "
    "articles, avec ce qui la soutient, ce qui la contredit et qui le dit. Au plus 50\u202f000 "
    "caractères et 200 affirmations, un quart de seconde chacune."
)
NO_MODEL_NOTICE = "{} Voici, en attendant, des extraits des articles."
CHANGED_ARTICLE = (
    "L’article a changé depuis cette réponse\u00a0: le passage cité n’y figure plus tel quel."
)
OTHER_NAMES = "Autres"
TO_CHOOSE = "Cochez des articles dans la liste pour les retirer ou corriger leur date."
NO_ARTICLE_FOUND = "Aucun article ne contient tous ces mots\u00a0: cherchez-en d’autres."
NO_ARTICLE_FILTERED = (
    "Aucun article ne contient tous ces mots avec ces filtres\u00a0: retirez-en, ou cherchez "
    "d’autres mots."
)
ARTICLE_GONE = "Cet article n’est plus dans le corpus\u00a0: il a été retiré depuis."
NO_DATE = "sans date"
PAID = "article payant"
TRY_AGAIN = "Trop de questions en ce moment\u00a0: réessayez dans {}\u00a0secondes."
UNREADABLE = "L’adresse ou les en-têtes de la requête sont mal formés\u00a0: corrigez-les."
WRONG_HOST = "Ce nom de serveur n’est pas celui de Recoupe\u00a0: réglez RECOUPE_PUBLIC_URL."
WRONG_ORIGIN = (
    "Ce site n’est pas autorisé à interroger Recoupe\u00a0: ajoutez son origine à "
    "RECOUPE_ALLOWED_ORIGINS."
)
TOO_LARGE = "La requête dépasse {}\u00a0Ko\u00a0: envoyez-en une plus petite."
NEEDS_ADMIN_HERE = "Le jeton d’administration manque ou n’est pas le bon\u00a0: vérifiez-le."
WIDGET_HELP = (
    "Ajoutez aussi l’origine du site à RECOUPE_ALLOWED_ORIGINS, par exemple "
    "'[\"https://www.journal.fr\"]'."
)
SHOWN_ONCE = (
    "Gardez le jeton en lieu sûr\u00a0: seule son empreinte va dans les réglages, et rien ne "
    "permet de le retrouver. La même empreinte peut servir à RECOUPE_CHAT_LOGIN=NOM:EMPREINTE."
)
NO_UPLOAD = "L’envoi de fichiers par le web est fermé\u00a0: passez par l’API."
LOGIN = "Ce chat est réservé\u00a0: identifiez-vous."
WRONG_TOKEN = "Ce n’est pas le jeton d’administration\u00a0: vérifiez-le."  # noqa: S105
REFERENCE_KEPT = "La question de référence est gardée."
REFERENCE_FOLLOW_UP = (
    "La question de référence est gardée. Elle semble la suite d’une autre, et sera posée "
    "seule\u00a0: ôtez-la si on ne la comprend pas ainsi."
)
REFERENCE_REMOVED = "La question de référence est ôtée."
BAD_FIELD = "Le champ «\u00a0{}\u00a0» n’est pas valable ({})\u00a0: corrigez-le."
FIELD_ERRORS = {
    "missing": "il manque",
    "string_type": "un texte est attendu",
    "string_too_short": "il est trop court",
    "string_too_long": "il est trop long",
    "string_pattern_mismatch": "des caractères ne conviennent pas",
    "too_long": "la liste est trop longue",
    "int_type": "un nombre entier est attendu",
    "int_parsing": "un nombre entier est attendu",
    "greater_than_equal": "il est trop petit",
    "less_than_equal": "il est trop grand",
    "literal_error": "ce n’est pas une des valeurs prévues",
    "extra_forbidden": "il n’est pas prévu",
    "date_from_datetime_parsing": "une date comme 2024-12-31 est attendue",
    "date_type": "une date comme 2024-12-31 est attendue",
    "json_invalid": "le JSON est mal formé",
    "model_attributes_type": "un objet JSON est attendu",
}
OTHER_FIELD_ERROR = "la valeur ne convient pas"
HTTP_ERRORS = {
    400: "La requête ne se lit pas\u00a0: corrigez-la.",
    404: "Il n’y a rien à cette adresse\u00a0: voyez openapi.json.",
    405: "Cette adresse ne connaît pas cette méthode\u00a0: voyez openapi.json.",
}
UNEXPECTED = (
    "Une erreur inattendue s’est produite\u00a0: réessayez\u202f; le journal en donne le détail."
)
NO_FILE = "Choisissez d’abord un ou plusieurs fichiers."
NO_ARTICLE = (
    "Cliquez sur un numéro de source\u00a0: l’article s’ouvre ici, le passage cité surligné."
)
CHOOSE_CLAIM = (
    "Choisissez une affirmation du texte\u00a0: ce qui la soutient et ce qui la contredit est ici."
)
CLAIM_KEYS = (
    "Au clavier\u00a0: j et k, ou les flèches, d’une affirmation à l’autre\u202f; Entrée l’ouvre, "
    "Échap revient au texte."
)
NEWSROOM_TOOLS = "Rédaction\u00a0: ajouter, retirer, corriger"
CLAIM_MARKS = (
    "Surligné\u00a0: un chiffre, un nom ou un mot qui s’oppose à l’affirmation\u202f; souligné "
    "deux fois\u00a0: un chiffre ou un nom qui concorde. Rien de cela n’explique le verdict."
)
ADDRESS_ALONE = (
    "C’est une adresse, et non un texte\u00a0: donnez-la dans le champ «\u00a0Ou l’adresse d’un "
    "article\u00a0», ou collez le texte de l’article."
)
ADDRESS_ELSEWHERE = "Les pages de {} ne sont pas lues ici\u00a0: collez le texte de l’article."
ADDRESS_NOT_READ = "L’adresse n’a pas été lue\u00a0: {}."
LATE_PAGE = "la page met plus de {:g}\u00a0secondes à venir et à être lue"
ADDRESS_READ = "L’article est dans le champ\u00a0: relisez, puis vérifiez."
NO_EXAMPLE = "Le corpus n’a pas de phrase dont faire un exemple\u00a0: collez un texte."
# About the sample corpus: needs the articles with these titles.
SAMPLE_TITLES = (
    "Crue de l’Orvelle\u00a0: le nombre d’évacués corrigé à 312",
    "Brissange\u00a0: les naissances reprennent à la maternité",
    "Un téléphérique entre la gare et le plateau\u00a0: le pari de Montfauzy",
    "Casino\u00a0: une marche dans le calme à Port-Amance",
)
# Each of the verdicts, one after the other.
SAMPLE_TEXT = (
    "La maternité de Brissange a rouvert en novembre 2023. 280 personnes ont été évacuées à "
    "Saint-Cyprin. Pas un arbre du parc Duvernet ne sera abattu. La marche contre le casino a "
    "réuni 4\u202f500 personnes à Port-Amance.\n\nLe musée de Port-Amance a "
    "acheté un tableau de Picasso. Je pense que le maire a tort. Faut-il fermer le pont de "
    "l’Ancre\u202f?"
)
# What is added to sentences of another corpus.
EXAMPLE_UNVERIFIABLE = (
    "Je pense que c’est une honte.",
    "Que faut-il en penser\u202f?",
)
NOTHING_JUDGED = "Vérification arrêtée avant le premier verdict\u00a0: votre texte est resté."
WELCOME = (
    "Posez une question\u00a0: Recoupe répond avec les phrases des articles, et chaque phrase "
    "porte le numéro de sa source. Quand les articles ne répondent pas, Recoupe le dit."
)
KEPT_HERE = "Rien n’est gardé ailleurs que dans ce navigateur."
KEPT_MASKED = (
    "Vos conversations ne sont que dans ce navigateur\u202f; la rédaction garde un temps les "
    "questions posées, masquées\u00a0: voyez «\u00a0Ce qu’il fait, où il se trompe\u00a0»."
)
FILTERS = "Filtres\u00a0: {}"
SINCE, UNTIL = "depuis le {}", "jusqu’au {}"
NO_DAY = "date illisible\u00a0: {}"
ONE_ARTICLE = "un article seulement"
ONLY_ARTICLE = "cet article seulement\u00a0: {}"
WITHOUT_FILTER = "Retirer le filtre «\u00a0{}\u00a0»"
ANY_TIME, THIS_YEAR, LAST_DAYS = "Toutes dates", "Cette année", "Les 30 derniers jours"
SUGGESTED = "Les articles répondent à une question proche\u00a0: {}"
ABOUT_ARTICLE = "De quoi parle l’article «\u00a0{}\u00a0»\u202f?"
EXAMPLE_MONTH = "Que s’est-il passé en {}\u202f?"
EXAMPLE_ABOUT = "Que disent les articles sur {}\u202f?"
EXAMPLE_WORDS = "Qu’a dit {}\u202f?"


CORRECTED_ON = "Corrigé le {}"
RECORD_CHANGED_ON = "Fiche corrigée le {}"
FIELDS = {
    "title": "Titre",
    "name": "Source",
    "author": "Auteur",
    "published": "Date",
    "url": "Adresse",
    "section": "Rubrique",
}
REPLACED_ON = "Remplacé par un autre texte le {}"
ANSWER_OUTDATED = (
    "Un article cité a changé depuis cette réponse\u00a0: posez la question de nouveau."
)
CORRECTED_SINCE = "Le journal a corrigé cet article depuis"
NO_VERSION = "Cet article n’a pas changé depuis qu’il est indexé."
OLD_VERSION = "Version citée, remplacée le {}\u00a0: l’article dit autre chose aujourd’hui."
NO_PARQUET = "Sans les vecteurs\u00a0: Parquet demande «\u00a0pip install pyarrow\u00a0»."
BACKED_UP = "Copie dans {1}\u00a0: {0}."
REINDEXED = "Index refait\u00a0: {}, modèle «\u00a0{}\u00a0»."
ANSWER_GONE = (
    "Cette réponse citait un article qui a été retiré depuis\u00a0: posez la question de nouveau."
)
UPLOADS_FULL = "Trop de fichiers attendent d’être indexés\u00a0: ajoutez-les d’abord au corpus."
BAD_EVENT = "La page a envoyé ce que Recoupe n’attend pas\u00a0: rechargez-la."
NO_TRUSTED_PROXY = (
    "RECOUPE_PUBLIC_URL est donnée sans RECOUPE_TRUSTED_PROXIES\u00a0: derrière un mandataire, "
    "tous les visiteurs comptent pour un seul\u202f; donnez-lui l’adresse de ce mandataire, par "
    'exemple ["127.0.0.1"].'
)
PAID_ANSWER = (
    "La réponse est dans des articles payants, dont il ne peut être cité davantage ici\u00a0: "
    "ouvrez l’original."
)
PAID_SPENT = (
    "Ce que cette réponse peut citer d’articles payants est épuisé\u00a0: vérifiez cette "
    "affirmation seule pour en voir les extraits."
)
EVIDENCE_GONE = (
    "Un passage cité a été retiré du corpus depuis la vérification\u00a0: vérifiez de nouveau."
)
NOTHING_CHOSEN = "Aucun article choisi."
NO_VALUE = "rien"
BY_HAND = "Corrigé à la main\u00a0:"
ALSO_PRINTED = "Le même texte reste dans l’index\u00a0: {} ({})."
UNCHANGED = "rien ne change"
ANSWERS_AGAIN = "répond de nouveau"
WITHHELD_FROM = "n’est plus cité\u00a0: mis en retrait le {}"
WOULD_BE = {"new": "nouveau", "updated": "à mettre à jour", "removed": "à retirer"}
NOTHING_DONE = "Rien n’a été changé (--dry-run)."
NOT_THERE = "{} n’est pas là\u00a0: il sera suivi dès qu’il y sera."
FOLLOWING = "Suivi de {}\u202f; Ctrl+C l’arrête."
NO_SOURCES_YET = "Aucune source du web n’a encore été lue."
SOURCE_KINDS = {
    "feed": "flux", "sitemap": "plan de site", "index": "plans de site", "site": "site",
    "page": "page", "": "adresse",
}  # fmt: skip
SOURCE_DOWN = "La source {} ne se lit plus depuis {}\u00a0: vérifiez son adresse."
SOURCE_SILENT = (
    "La source {} n’a rien donné de neuf depuis {}\u00a0: vérifiez qu’elle publie encore."
)
PAID_ARTICLE = (
    "Article payant\u00a0: seule la citation est montrée\u202f; l’original est chez son éditeur."
)
WITHHELD_ARTICLE = "La rédaction a mis cet article en retrait le {}\u00a0: il ne répond plus."
WITHDRAWN_ARTICLE = "Son éditeur a dépublié cet article, constaté le {}\u00a0: il ne répond plus."
DEDUCED = "(date déduite)"
SITE_KEY = (
    "Ajoutez au site les lignes ci-dessus. La clé se lit dans la page\u00a0: elle dit quel site "
    "demande, et n’est pas un secret. Ce qui protège, ce sont les origines, le quota et les débits."
)
SITE_WITHOUT_ORIGIN = (
    "Ce site n’a pas d’origine\u00a0: celles de RECOUPE_ALLOWED_ORIGINS valent pour lui. Donnez la "
    "sienne avec --origine https://www.journal.fr."
)
SITE_NAMES_GONE = "Le site «\u00a0{}\u00a0» cherche dans {}, que l’index n’a pas (ou plus)."
NO_SITES_YET = "Aucun site\u00a0: «\u00a0recoupe site add NOM\u00a0» en ajoute un."
SITE_NAMED = "{}\u00a0: clé {}"
SITE_SECTION = "rubrique {}"
SITE_ALL_ARTICLES = "tous les articles"
SITE_ASKED_ONE = "{} question aujourd’hui"
SITE_ASKED_MANY = "{} questions aujourd’hui"
SITE_DEFAULT_ORIGINS = "origines des réglages"
SITE_IS_PAUSED = "en pause"
SITE_PAUSED = "Le site «\u00a0{}\u00a0» est en pause\u00a0: il ne répond plus."
SITE_RESUMED = "Le site «\u00a0{}\u00a0» répond de nouveau."
SITE_REMOVED = "Le site «\u00a0{}\u00a0» est retiré\u00a0: sa clé ne vaut plus rien."
PAUSED = "Les questions sont suspendues sur ce site pour le moment\u00a0: revenez plus tard."
OTHER_ORIGIN = (
    "Cette clé est celle d’un autre site\u00a0: prenez la bonne, ou ajoutez l’origine de la "
    "page avec «\u00a0recoupe site edit\u00a0»."
)
SITE_NOT_HERE = (
    "Cette adresse ne sert pas les sites\u00a0: interrogez /api/v1, ou montrez le jeton "
    "d’administration."
)


def newspaper(source: Source) -> str:
    """Return the name of a publication within a sentence, its title where it has none.

    Papers carry their article in their name, agencies do not: « l’Agence France-Presse ».
    """
    name = source.name or f"«\u00a0{source.title}\u00a0»"
    return f"l’{name}" if name.startswith("Agence ") else name


def label(source: Source) -> str:
    """Return « Source, « titre », date, auteur » with what is known."""
    title = f"«\u00a0{source.title}\u00a0»"
    day = format_date(source.published)
    if day and source.deduced:
        day += f" {DEDUCED}"
    parts = (source.name, title, day, source.author)
    return ", ".join(part for part in parts if part)


def cited(citation: Citation) -> str:
    """Return the label of a citation's source, with its page where there is one."""
    page = f", p.\u00a0{citation.page}" if citation.page else ""
    return label(citation.source) + page


def undated_of(count: int, among: int) -> str:
    """Return how many of some articles have no date."""
    if count == among:
        return "Aucun n’a de date."
    return f"{count} {'n’ont' if count > 1 else 'n’a'} pas de date."


def undated(titles: Sequence[str], count: int) -> str:
    """Return which articles have no date, where a period is asked about; `count` have none in all.

    `titles` are those of them that speak of what is asked.
    """
    named = ", ".join(f"«\u00a0{title}\u00a0»" for title in titles)
    if not named:
        have = "articles de l’index n’ont" if count > 1 else "article de l’index n’a"
        return f"{count} {have} pas de date\u00a0: cette période peut en compter d’autres."
    have, they = ("n’ont", "s’ils sont") if len(titles) > 1 else ("n’a", "s’il est")
    return f"{named} {have} pas de date\u00a0: rien ne dit {they} de cette période."


def summary(report: IngestReport) -> str:
    """Return the one-line account of an ingestion."""
    counts = (
        ("nouveau", "nouveaux", report.new),
        ("mis à jour", "mis à jour", report.updated),
        ("inchangé", "inchangés", report.unchanged),
        ("retiré", "retirés", report.removed),
        ("en échec", "en échec", report.failed),
    )
    parts = [f"{len(items)} {many if len(items) > 1 else one}" for one, many, items in counts]
    if gone := len(report.withdrawn):
        parts.append(f"{gone} {'dépubliés' if gone > 1 else 'dépublié'}")
    line = "Articles\u00a0: " + ", ".join(parts) + "."
    return f"{line}\n{_barred(report.barred)}" if report.barred else line


def _barred(names: Sequence[str]) -> str:
    """Return what was not taken for it was removed before, and how to take it back."""
    shown = "\u202f; ".join(printable(name) for name in names[:_MOST_BARRED])
    rest = len(names) - _MOST_BARRED
    more = f"\u202f; et {rest} {'autres' if rest > 1 else 'autre'}" if rest > 0 else ""
    stay, back = ("restent retirés", "les") if len(names) > 1 else ("reste retiré", "le")
    return (
        f"{len(names)} {stay} (« recoupe remove »)\u00a0: {shown}{more}. "
        f"«\u00a0recoupe ingest --reprendre\u00a0» {back} reprend."
    )


def ago(then: float, now: float) -> str:
    """Return how long ago a moment was: « il y a 3 heures », « jamais » for 0."""
    if not then:
        return "jamais"
    minutes = max(0, int((now - then) / 60))
    for size, one, several in ((1440, "jour", "jours"), (60, "heure", "heures")):
        if (count := minutes // size) >= 1:
            return f"il y a {count}\u00a0{several if count > 1 else one}"
    return f"il y a {minutes}\u00a0min" if minutes else "à l’instant"


def sentences(count: int) -> str:
    """Return a count of sentences, in words."""
    return f"{count}\u00a0phrase{'s' if count > 1 else ''}"


def source_state(state: SourceState) -> str:
    """Return how a source of the web does, in words."""
    parts = [SOURCE_KINDS[state.kind]]
    parts.append(f"lue le {_moment(state.succeeded)}" if state.succeeded else "jamais lue")
    if state.fed:
        parts.append(f"du neuf le {_moment(state.fed)}")
    parts.append(f"{state.pages} {'pages' if state.pages > 1 else 'page'}")
    parts.append(f"{state.added} {'articles ajoutés' if state.added > 1 else 'article ajouté'}")
    if state.failed:
        parts.append(f"{state.failed} en échec")
    return ", ".join(parts)


def _moment(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC).astimezone()
    return f"{format_date(at.date())} à {at.hour}\u00a0h\u00a0{at.minute:02}"


def last_change(seconds: float) -> str:
    """Return when the articles last changed, as a sentence; "" for 0.0, which is not known."""
    return f"Dernier changement le {_moment(seconds)}." if seconds else ""


def withdrawn(record: ArticleRecord) -> str:
    """Return since when and by whom an article answers no more, in words; "" where it answers."""
    if record.withdrawn is None:
        return ""
    how = "mis en retrait" if record.withheld else "dépublié"
    return f"{how} le {format_date(record.withdrawn)}"


def edited(before: Source, after: Source, fields: Iterable[str]) -> list[str]:
    """Return, for each of some fields, what it was and what it is."""
    return [
        f"{FIELDS[field]}\u00a0: {_value(before, field)} → {_value(after, field)}"
        for field in fields
        if _value(before, field) != _value(after, field)
    ]


def _value(source: Source, field: str) -> str:
    value = getattr(source, field)
    text = format_date(value) if isinstance(value, date) else value
    return f"«\u00a0{text}\u00a0»" if text else NO_VALUE


def failed(failure: Failure) -> str:
    """Return what failed, by name, and why, in one line."""
    reason = typographic(printable(failure.reason))
    return f"Échec\u00a0: {printable(failure.name)}\u00a0: {reason}"


def exported(count: int, files: Sequence[str]) -> str:
    """Return what an export wrote."""
    written = "écrit" if count < 2 else "écrits"
    return f"{articles(count)} {written}\u00a0: {', '.join(files)}."


HELLO = (
    "Bonjour\u202f! Posez une question sur les articles\u00a0: je réponds avec leurs phrases, et "
    "chacune mène au passage dont elle vient."
)
YOU_ARE_WELCOME = "Je vous en prie. Posez une autre question quand vous voulez."
WHO_I_AM = (
    "Je suis Recoupe, un programme qui répond à partir d’articles de presse. Je n’ajoute rien à ce "
    "qu’ils disent\u00a0: chaque phrase de mes réponses porte le passage exact dont elle vient, et "
    "quand les articles ne répondent pas, je le dis. Je peux me tromper de passage\u00a0: "
    "ouvrez-le."
)
WHAT_I_CAN = (
    "Demandez-moi un fait («\u00a0Combien a coûté…\u202f?\u00a0»), un récit («\u00a0Que s’est-il "
    "passé…\u202f?\u00a0»), ce que "
    "quelqu’un a dit, pourquoi ou comment, une liste, ou quels articles parlent d’un sujet, d’une "
    "source ou d’un mois. Je peux aussi vérifier une affirmation\u00a0: onglet "
    "«\u00a0Vérifier\u00a0»."
)
ACCORDING_TO = "Selon {}, {}"
A_SOURCE = "une source"
SECTIONS = "Rubriques\u00a0: {}."
TOPICS = "Ils parlent par exemple de\u00a0: {}."
NEWEST_ARTICLES = "Les articles les plus récents, du plus neuf au plus ancien\u00a0: {}."
YES = "Oui, d’après {}."
NO = "Non, d’après {}."
ARTICLES_DIVERGE = "Les articles se contredisent."
OTHERWISE = "Les articles disent autre chose que ce que suppose la question\u00a0:"
NO_OPINION = (
    "Je n’ai pas d’avis\u00a0: je cherche dans les articles ce qu’ils rapportent et qui le dit. "
    "Demandez par exemple ce qu’ils disent d’un sujet, ou ce qu’une personne a déclaré."
)
NOT_NOW = (
    "Je ne connais ni l’heure, ni le jour, ni le temps qu’il fait\u00a0: seulement ce que disent "
    "les articles. Demandez ce qui s’est passé tel jour, ou en tel lieu."
)
WHICH_ARTICLE = "Lequel\u202f? J’en ai plusieurs, par exemple\u00a0: {}."


def finding(count: int) -> str:
    """Return how many claims were found, while others are looked for."""
    return f"Recherche des affirmations… {count} trouvée{'s' if count > 1 else ''}."


def judged(count: int, total: int) -> str:
    """Return how many claims of how many are judged."""
    s = "s" if count > 1 else ""
    return f"{count} affirmation{s} jugée{s} sur {total}."


def stopped(count: int, total: int) -> str:
    """Return how far a check had come when it was stopped."""
    return f"Vérification arrêtée\u00a0: {judged(count, total)} Vérifiez de nouveau pour le reste."


def numbered(number: int, total: int) -> str:
    """Return which claim of how many this is."""
    return f"Affirmation {number} sur {total}"


def independent_sources(count: int) -> str:
    """Return how many sources speak for themselves."""
    s = "s" if count > 1 else ""
    return f"{count} source{s} indépendante{s}"


def undecided(count: int) -> str:
    """Return how many passages bear on a claim and settle nothing."""
    s = "s" if count > 1 else ""
    return f"{count} passage{s} proche{s}, qui ne tranche{'nt' if count > 1 else ''} pas"


def same_text(others: Sequence[str]) -> str:
    """Return who else prints the same text."""
    return f"Même texte, compté une fois\u00a0: {', '.join(others)}"


def of_sources(articles: int, sources: int, copies: int) -> str:
    """Return how many articles an answer cites, of how many sources."""
    found = "un article" if articles == 1 else f"{articles} articles"
    if articles > 1:
        found += ", tous d’une même source" if sources == 1 else f", de {sources} sources"
    if copies:
        found += ", dont " + ("une reprise" if copies == 1 else f"{copies} reprises")
        found += " du même texte"
    return found


def articles(count: int) -> str:
    """Return a number of articles: none is singular in French."""
    return f"{count} {'article' if count < 2 else 'articles'}"


def erased(proof: Erasure) -> str:
    """Return what a proof of erasure says, in one line."""
    if not proof.articles:
        return removed(0)
    looked = f"{proof.sentences} phrases cherchées dans {proof.files} fichiers"
    if proof.unread:
        unread = ", ".join(proof.unread)
        return f"{removed(len(proof.articles))} Rien n’est prouvé\u00a0: {unread} ne se lit pas."
    if proof.found:
        named = ", ".join(f"{name} ({count})" for name, count in proof.found)
        return f"{removed(len(proof.articles))} Il en reste dans\u00a0: {named}."
    names = ", ".join(name for name, _ in proof.shared)
    shared = f" D’autres articles en disent des phrases\u00a0: {names}." if names else ""
    return f"{removed(len(proof.articles))} Rien n’en reste\u00a0: {looked}.{shared}"


def still_in(files: Sequence[str]) -> str:
    """Return which files still hold articles that were removed, and what to do; "" for none."""
    if not files:
        return ""
    named = "\u202f; ".join(map(printable, files))
    hold = "les contiennent" if len(files) > 1 else "le contient"
    return (
        f"Hors de l’index, rien n’est touché\u00a0: {named} {hold} encore, et peut-être des "
        "sauvegardes\u202f; supprimez-les s’il le faut. Rien ne ramène ce qui est retiré sans "
        "«\u00a0--reprendre\u00a0»."
    )


_PLURAL = re.compile(r"(?i)(?:les|des|plusieurs|certaine?s|deux|trois|quatre|cinq|six) ")


def agrees(who: str, one: str, several: str) -> str:
    """Return the form of a verb that agrees with a subject."""
    joint = re.search(r"\bet (?:l[ea] |les |l’|[A-ZÀ-Þ])", who)
    return several if _PLURAL.match(who) or joint else one


def removed(count: int) -> str:
    """Return how many articles were removed, in words."""
    if count == 0:
        return "Aucun article retiré."
    return "1 article retiré." if count == 1 else f"{count} articles retirés."
