"""One article in files that the programs of newsrooms have made: what they hold is what is read.

`tests/formats/bac.md` is the article; pandoc, LibreOffice and Chromium made the others of it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rag.domain import Article, Reading
from rag.readers import read_files, workers

FORMATS = Path(__file__).parent / "formats"
FILES = sorted(f.name for f in FORMATS.iterdir() if f.suffix != ".md")
TITLE = "Le bac de Lérins repart après onze jours d’arrêt"
HEADINGS = ["Un moteur de 1987", "Les habitants de l’île", "La saison 1", "Les voyageurs, 1",
            "La saison 2", "Les voyageurs, 2"]  # fmt: skip


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text).replace("'", "’")


def lines() -> list[str]:
    """The paragraphs, headings and items of the article; rows of tables are read each its way."""
    said = (FORMATS / "bac.md").read_text("utf-8").split("---", 2)[2]
    kept = [line for line in said.split("\n") if line.strip() and line[0] != "|"]
    return [re.sub(r"^(#+|-) ", "", line) for line in kept]


def read(name: str) -> list[Article]:
    reading = Reading.of(read_files([FORMATS / name]))
    assert not reading.failures
    return list(reading.articles)


@pytest.fixture(scope="module", autouse=True)
def _workers() -> object:
    yield
    workers.close()


def test_there_is_a_file_of_each_kind() -> None:
    assert {Path(name).suffix for name in FILES} >= {".pdf", ".docx", ".odt", ".epub", ".mhtml"}
    assert len(FILES) >= 9


@pytest.mark.parametrize("name", FILES)
def test_every_paragraph_is_read(name: str) -> None:
    articles = read(name)
    held = squeezed(" ".join([a.source.title for a in articles] + [a.text for a in articles]))
    assert not [line for line in lines() if squeezed(line) not in held]
    assert squeezed("64 250") in held
    assert "ﬁ" not in held
    assert TITLE in articles[0].source.title
    assert "127.0.0.1" not in held  # what a browser prints above and below


@pytest.mark.parametrize("name", [n for n in FILES if n != "libreoffice.epub"])
def test_headings_are_headings(name: str) -> None:
    """LibreOffice writes its EPUB without any."""
    (article,) = read(name)
    told = [article.text[a:b].strip() for a, b in article.headings]
    assert [heading for heading in HEADINGS if heading not in told] == []


@pytest.mark.parametrize("name", [n for n in FILES if n.endswith(".pdf")])
def test_a_paragraph_of_a_pdf_is_one_and_knows_its_page(name: str) -> None:
    (article,) = read(name)
    paragraphs = article.text.split("\n\n")
    (first,) = [p for p in paragraphs if "6 h 10" in p and "2011" not in p and "2012" not in p]
    assert first.startswith("Le bac de Lérins a repris")
    assert first.endswith("le directeur de la compagnie.")
    assert article.pages[0] == (0, "1")
    assert len(article.pages) >= 3


@pytest.mark.parametrize("name", [n for n in FILES if not n.startswith("chromium.p")])
def test_the_author_is_known(name: str) -> None:
    """A browser that prints a page forgets him."""
    assert read(name)[0].source.author == "Inès Caron"
