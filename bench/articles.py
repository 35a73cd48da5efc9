"""Articles to measure with: real ones of a folder, and as many made ones as are asked for.

A made article mixes sentences of templates, with names, places and figures of
its own, and sentences of real articles whose figures are changed: no two
passages are alike, and the words keep growing as they do in an archive. They
tell nothing true.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

from bench.faces import read
from bench.golden import GOLDEN, ROOT, load_golden
from rag.domain import Article, Source
from rag.evaluation.claim_scores import read_claims
from rag.french.sentences import sentence_spans

# Of ten articles five come from the first; of a hundred one from the last.
NAMES = ("Le Quotidien du bassin", "Agence Fleuve", "La Dépêche des vallées", "Radio Plateau",
         "L’Estuaire", "Le Canal")  # fmt: skip
_WEIGHTS = (50, 20, 15, 9, 5, 1)
_FIRST, _LAST = date(2014, 1, 1), date(2023, 12, 31)
RECENT = date(2023, 1, 1)  # a tenth of the made articles are of this day or after
_SECTIONS = ("Société", "Économie", "Politique", "Culture", "Sports", "Justice")
_PASSAGE = 1250  # characters, about 320 tokens of French
_ONSETS = "b br c ch cl d f fr g gr j l m n p pl qu r s st t tr v".split()
_RIMES = "a an ar ard é el en er i ien in o on ou oux u y ais eau and ert ille ine onne".split()
_TEMPLATES = (
    "{who} a annoncé {day} à {town} que {body} recevrait {money} euros sur {few} ans.",
    "Selon {body}, {many} habitants de {town} sont concernés, contre {less} un an plus tôt.",
    "« Nous avons attendu {few} mois une réponse de {town} », a déclaré {who} {day}.",
    "Le chantier de {town}, estimé à {money} euros, a pris {few} semaines de retard.",
    "{who}, qui préside {body}, a rencontré {day} les élus de {town}.",
    "Près de {many} personnes ont défilé {day} dans les rues de {town}, d’après {body}.",
    "Le conseil de {town} a voté {day} un budget de {money} euros, par {few} voix d’écart.",
    "À {town}, {less} logements sur {many} restent vides, relève {who}.",
    "La cour a condamné {who} à {few} mois de prison avec sursis et {money} euros d’amende.",
    "{body} prévoit d’ouvrir à {town} un centre de {less} places avant {year}.",
    "L’équipe de {town} l’a emporté par {few} points devant {less} spectateurs.",
    "Depuis {year}, {who} dirige à {town} une entreprise de {less} salariés.",
    "D’après {who}, la ligne entre {town} et {other} a transporté {many} voyageurs en {year}.",
    "Une pétition signée par {less} riverains de {town} a été remise {day} à {body}.",
    "{who} estime que {town} perdra {few} % de ses commerces d’ici à {year}.",
    "Entre {town} et {other}, {few} communes manquent d’eau depuis {day}.",
    "Le festival de {town} a réuni {many} visiteurs, dont {less} venus de {other}.",
    "{body} a démenti {day} avoir promis {money} euros à {other}.",
)
_TITLES = (
    "{town} : {body} promet {money} euros",
    "À {town}, {less} emplois attendus d’ici à {year}",
    "{who} quitte {body} après {few} mois",
    "Entre {town} et {other}, une ligne pour {many} voyageurs",
    "{town} : le budget voté à {few} voix près",
)
_BODIES = ("la préfecture", "la chambre d’agriculture", "le syndicat des eaux", "la région",
           "l’office de tourisme", "la coopérative", "le collectif des riverains",
           "la communauté de communes", "le rectorat", "l’agence de santé")  # fmt: skip
_MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
           "octobre", "novembre", "décembre")  # fmt: skip


def press(folder: Path | None, most: int, target: Path) -> list[Path]:
    """Return files of `most` real articles: a JSONL file under `target`, or the sample corpus.

    They are the longest of the `.jsonl` files of `folder` that hold articles.
    """
    if folder is None:
        return sorted(p for p in (ROOT / "corpus").iterdir() if p.is_file())[:most]
    longest = sorted(_articles(folder), key=lambda row: -len(row["text"]))
    return [write(longest[:most], target / "press.jsonl")]


def _articles(folder: Path) -> list[dict[str, str]]:
    return [row for file in sorted(folder.glob("*.jsonl")) for row in _rows(file)]


def _rows(file: Path) -> list[dict[str, str]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    return [row for row in rows if row.get("text") and row.get("title")]


def write(rows: Sequence[dict[str, str]], file: Path) -> Path:
    """Write rows as JSONL; return the file."""
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    file.write_text("".join(lines), encoding="utf-8")
    return file


def row(article: Article) -> dict[str, str]:
    """Return an article as a row of a file."""
    source = article.source
    day = source.published.isoformat() if source.published else ""
    return {"id": article.id, "title": source.title, "text": article.text, "source": source.name,
            "author": source.author, "section": source.section, "date": day}  # fmt: skip


def questions(folder: Path | None) -> list[str]:
    """Return the questions of a folder of press, or the golden ones."""
    file = folder / "questions.jsonl" if folder else None
    if file is None or not file.exists():
        return [item.question for item in load_golden("questions")]
    lines = file.read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(json.loads(line)["question"] for line in lines if line.strip()))


def claims(folder: Path | None) -> list[str]:
    """Return the claims of a folder of press, or the golden ones."""
    file = folder / "claims.jsonl" if folder else None
    if file is None or not file.exists():
        file = GOLDEN / "claims.jsonl"
    return [known.text for known in read_claims(file)]


def sentences(folder: Path | None) -> list[str]:
    """Return the sentences of a folder's articles, or of the sample corpus, that fit in another."""
    if folder is None:
        texts = [article.text for article in read(press(None, 1000, ROOT))]
    else:
        texts = [row["text"] for row in _articles(folder)]
    found = [text[a:b] for text in texts for a, b in sentence_spans(text)]
    return [" ".join(t.split()) for t in found if 40 < len(t) < 400]


def made(pool: Sequence[str], seed: int, per_article: int, name: str = "fait") -> Iterator[Article]:
    """Yield articles without end, of `per_article` passages in the mean, all different."""
    shape = random.Random(seed)
    towns = [_word(shape, 3) for _ in range(4000)]
    for number in range(1_000_000_000):
        draw = random.Random(f"{seed}-{name}-{number}")
        wanted = _PASSAGE * draw.randint(1, 2 * per_article - 1)
        paragraphs: list[str] = []
        size = 0
        while size < wanted:
            first = _filled(draw.choice(_TEMPLATES), draw, towns)  # no two paragraphs alike
            others = (_sentence(draw, towns, pool) for _ in range(draw.randint(1, 3)))
            some = " ".join([first, *others])
            paragraphs.append(some)
            size += len(some) + 2
        published = _FIRST + timedelta(days=draw.randrange((_LAST - _FIRST).days + 1))
        source = Source(
            title=_filled(draw.choice(_TITLES), draw, towns),
            name=draw.choices(NAMES, _WEIGHTS)[0],
            author=_person(random.Random(draw.randrange(300))),
            published=published,
            section=draw.choice(_SECTIONS),
        )
        yield Article(id=f"{name}-{seed}-{number}", source=source, text="\n\n".join(paragraphs))


def sample(
    count: int, pool: Sequence[str], seed: int, per_article: int, name: str
) -> list[Article]:
    """Return the first `count` made articles of a series."""
    return list(islice(made(pool, seed, per_article, name), count))


def _sentence(draw: random.Random, towns: Sequence[str], pool: Sequence[str]) -> str:
    if not pool:
        return _filled(draw.choice(_TEMPLATES), draw, towns)
    return re.sub(r"\d+", lambda m: _like(m[0], draw), draw.choice(pool))


def _like(digits: str, draw: random.Random) -> str:
    low = 10 ** (len(digits) - 1)
    return str(draw.randrange(low, low * 10))


def _filled(template: str, draw: random.Random, towns: Sequence[str]) -> str:
    text = template.format(
        who=_person(draw),
        town=draw.choice(towns),
        other=draw.choice(towns),
        body=draw.choice(_BODIES),
        few=draw.randint(2, 90),
        less=draw.randint(100, 999),
        many=f"{draw.randint(1, 99)} {draw.randint(0, 999):03}",
        money=f"{draw.randint(1, 999)} {draw.randint(0, 999):03}",
        year=draw.randint(1990, 2040),
        day=f"le {draw.randint(1, 28)} {draw.choice(_MONTHS)}",
    )
    return text[0].upper() + text[1:]


def _person(draw: random.Random) -> str:
    return f"{_word(draw, 2)} {_word(draw, 3)}"


def _word(draw: random.Random, syllables: int) -> str:
    made_of = (draw.choice(_ONSETS) + draw.choice(_RIMES) for _ in range(syllables))
    return "".join(made_of).capitalize()
