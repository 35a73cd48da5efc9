from __future__ import annotations

import json
import os
import sys
import threading
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from rag import messages
from rag.cli.main import app
from rag.domain import Article, Reading
from rag.errors import ReadError
from rag.markup import printable
from rag.readers import article_id, find_files, read_bytes, read_files, read_text, read_uploads
from rag.readers.draft import decode
from rag.readers.files import read_file

NB = "\u00a0"
SENTENCE = "Le pont est fermé depuis lundi, selon l’adjoint à la voirie."


def read_one(path: Path, data: bytes | str) -> Article:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    reading = Reading.of(read_files([path]))
    assert reading.failures == ()
    (article,) = reading.articles
    return article


def failure_of(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    reading = Reading.of(read_files([path]))
    assert reading.articles == ()
    (failure,) = reading.failures
    assert failure.name == str(path)
    return failure.reason


def test_markdown_with_front_matter(tmp_path: Path) -> None:
    article = read_one(
        tmp_path / "pont.md",
        "---\ntitre: Le pont fermé\nsource: L'Écho\nauteur: Ida Roy\ndate: mardi 1er août 2023\n"
        "url: https://echo.example/pont\nrubrique: Transports\n---\n"
        f"# Le pont fermé\n\n{SENTENCE} Voir [ici](http://x.example) et **là**.\n\n"
        f"## Des travaux\n\n{SENTENCE} <b>gras</b>\n",
    )
    source = article.source
    assert (source.title, source.name, source.author) == ("Le pont fermé", "L’Écho", "Ida Roy")
    assert (source.published, source.section) == (date(2023, 8, 1), "Transports")
    assert source.url == "https://echo.example/pont"
    assert "Voir ici et là." in article.text
    assert [article.text[a:b] for a, b in article.headings] == ["Des travaux"]
    assert "<b>" not in article.text


def test_plain_text_with_and_without_header(tmp_path: Path) -> None:
    with_header = read_one(
        tmp_path / "a.txt", f"Titre : Le pont\nDate : 05/02/2019\n\n{SENTENCE}\n"
    )
    assert with_header.source.title == "Le pont"
    assert with_header.source.published == date(2019, 2, 5)
    bare = read_one(tmp_path / "b.txt", f"Le pont ferme\n\n{SENTENCE}\n{SENTENCE}\n")
    assert bare.source.title == "Le pont ferme"
    assert bare.text.startswith(SENTENCE)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
def test_old_encodings_read_rightly(tmp_path: Path, encoding: str) -> None:
    text = "Titre : L'été à Vélone\n\nL'œuvre coûte 3 € à la région, dit-on à Vélone."
    if encoding == "latin-1":
        text = text.replace("œ", "oe").replace("€", "euros")
    article = read_one(tmp_path / "a.txt", text.encode(encoding))
    assert article.source.title == "L'été à Vélone"
    assert article.text == text.split("\n\n")[1]


@given(st.text(alphabet="aàâçéèêëîïôùûüÿœŒ€’«»– \n", min_size=1, max_size=60))
def test_cp1252_is_never_taken_for_something_else(text: str) -> None:
    data = ("Début " + text).encode("cp1252")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        try:
            assert decode(data) == "Début " + text
        except ReadError:
            # Bytes that also look like UTF-8 sequences are refused, not guessed.
            assert any(pair in text for pair in ("Ã", "â€")) or b"\xc3" in data or b"\xe2" in data


def test_html_page(tmp_path: Path) -> None:
    page = f"""<html><head><title>La tomme primée - L'Écho</title>
    <meta property="og:site_name" content="L'Écho"><meta name="author" content="Ida Roy">
    <link rel="canonical" href="https://echo.example/tomme"></head><body>
    <nav><a href="/">Accueil</a></nav><div class="cookie"><p>Nous utilisons des cookies.</p></div>
    <article><h1>La tomme primée</h1><p>Publié le 3 avril 2022</p>
    <p>{SENTENCE} {SENTENCE}</p><h2>La croûte en question</h2><p>{SENTENCE} &lt;script&gt;alert(1)
    &lt;/script&gt;</p><p>Partager sur Facebook</p></article><script>evil()</script></body></html>"""
    article = read_one(tmp_path / "a.html", page)
    assert article.source.title == "La tomme primée"
    assert article.source.name == "L’Écho"
    assert article.source.published == date(2022, 4, 3)
    assert article.source.url == "https://echo.example/tomme"
    assert [article.text[a:b] for a, b in article.headings] == ["La croûte en question"]
    assert "cookies" not in article.text
    assert "evil" not in article.text
    assert "<script>alert(1)" in article.text.replace("\n", "")  # text of the page, kept as text


def test_jsonl_and_csv_rows(tmp_path: Path) -> None:
    rows = [
        {"title": "Un", "content": SENTENCE, "date": "2024-01-02", "author": ["A", "B"]},
        {"titre": "Deux", "texte": SENTENCE, "journal": "L'Écho"},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "b.csv").write_text(
        f'titre;date;texte\nTrois;3 mai 2021;"{SENTENCE}\n\nAutre ligne; ici."\n', encoding="utf-8"
    )
    reading = Reading.of(read_files([tmp_path / "a.jsonl", tmp_path / "b.csv"]))
    assert reading.failures == ()
    one, two, three = reading.articles
    assert (one.source.author, one.source.published) == ("A, B", date(2024, 1, 2))
    assert two.source.name == "L’Écho"
    assert three.source.published == date(2021, 5, 3)
    assert three.text.endswith("Autre ligne; ici.")


def test_a_truncated_line_does_not_lose_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"titre": "Un", "texte": SENTENCE}) + '\n{"titre": "De', "utf-8")
    reading = Reading.of(read_files([path]))
    assert len(reading.articles) == 1
    (failure,) = reading.failures
    assert failure.name == f"{path}#2"
    assert "JSON" in failure.reason
    assert reading.read == ()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "fichier vide"),
        (b"  \n ", "fichier vide"),
        (b"\x89PNG\r\n\x1a\n\x00\x00abc", "binaire"),
        ("L’été à côté".encode() + b"\xc3 coup", "encodage abîmé"),
        (b"Titre : Rien\n\n...\n", "aucune phrase"),
    ],
)
def test_unreadable_files_say_why(tmp_path: Path, data: bytes, reason: str) -> None:
    assert reason in failure_of(tmp_path / "a.txt", data)


def test_fifty_megabytes_on_one_line(tmp_path: Path) -> None:
    assert "50\u00a0Mo" in failure_of(tmp_path / "a.txt", b"mot " * 12_500_000)


def test_a_line_too_long_for_an_article(tmp_path: Path) -> None:
    assert "2 millions" in failure_of(tmp_path / "a.txt", b"mot " * 600_000)


def test_a_csv_without_text_column_names_what_it_has(tmp_path: Path) -> None:
    assert "aucune colonne de texte parmi a, b" in failure_of(tmp_path / "a.csv", b"a,b\n1,2\n")


def test_a_csv_whose_first_row_is_broken(tmp_path: Path) -> None:
    assert "CSV abîmé" in failure_of(tmp_path / "a.csv", b'"a"b,texte\n1,2\n')


def test_bad_front_matter(tmp_path: Path) -> None:
    assert "YAML" in failure_of(tmp_path / "a.md", b"---\ntitre: [\n---\ntexte")


def test_directories_are_walked_without_hidden_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("b.md", "sub/a.TXT", ".git/c.md", "image.png", "README.md"):
        (tmp_path / name).write_text("x")
    files, failures = find_files([tmp_path])
    assert [f.relative_to(tmp_path).as_posix() for f in files] == ["b.md", "sub/a.TXT"]
    assert failures == []


def test_files_asked_for_by_name_are_named_when_unusable(tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(b"x")
    _, failures = find_files([tmp_path / "image.png", tmp_path / "absent.txt"])
    assert ["type de fichier inconnu" in f.reason for f in failures] == [True, False]


def test_ids_last_when_the_text_changes_and_differ_between_articles(tmp_path: Path) -> None:
    first = read_one(tmp_path / "a.txt", f"Titre : Un\n\n{SENTENCE}")
    again = read_one(tmp_path / "a.txt", f"Titre : Un autre\n\n{SENTENCE} Encore une.")
    assert first.id == again.id
    assert article_id("https://a.example/x/pont") != article_id("https://b.example/x/pont")
    assert article_id("https://a.example/x/pont").startswith("pont-")


def test_one_article_twice_is_reported(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"Titre : T\nURL : https://x.example/a\n\n{SENTENCE}", "utf-8")
    reading = Reading.of(read_files([tmp_path / "a.txt", tmp_path / "b.txt"]))
    assert len(reading.articles) == 1
    assert "même article que" in reading.failures[0].reason


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "https://x y"])
def test_only_web_addresses_are_kept(tmp_path: Path, url: str) -> None:
    article = read_one(tmp_path / "a.txt", f"Titre : T\nURL : {url}\n\n{SENTENCE}")
    assert article.source.url == ""


def test_front_matter_is_text_alone(tmp_path: Path) -> None:
    article = read_one(
        tmp_path / "a.md",
        f"---\ntitre: non\ndate: 0000-00-00\nauteur: [1.0, 0x1F]\n---\n{SENTENCE}",
    )
    assert (article.source.title, article.source.author) == ("non", "1.0, 0x1F")
    assert article.source.published is None


def test_half_a_character_is_replaced(tmp_path: Path) -> None:
    article = read_one(
        tmp_path / "a.jsonl",
        '{"id": "\\ud800", "titre": "T \\ud83d\\ude00 \\udc00", "url": "https://x.example/\\ud800",'
        f' "texte": "{SENTENCE} \\ud800 Oui."}}',
    )
    assert article.source.title == "T 😀 �"
    json.dumps([article.id, article.text, article.source.url], ensure_ascii=False).encode()


def test_numbers_of_any_length_are_kept_as_written(tmp_path: Path) -> None:
    rows = f'{{"id": {"9" * 5000}, "titre": 1e999, "auteur": NaN, "texte": "{SENTENCE}"}}'
    article = read_one(tmp_path / "a.jsonl", rows)
    assert (article.source.title, article.source.author) == ("1e999", "")


@pytest.mark.parametrize("letter", ["a ", "é ", "😀 ", "😀"])
def test_fields_fit_a_store(tmp_path: Path, letter: str) -> None:
    row = dict.fromkeys(("titre", "auteur", "source", "rubrique"), letter * 10_000)
    row |= {"texte": SENTENCE, "url": "https://x.example/" + "a" * 5000, "id": letter * 10_000}
    article = read_one(tmp_path / "a.jsonl", json.dumps(row))
    source = article.source
    assert len(source.title) <= 1000
    for field in (source.title, source.author, source.name, source.section):
        assert 1000 <= len(field.encode()) <= 4096
        assert len(field) <= 2000
    assert source.url == ""
    assert len(article.id.encode()) <= 64


def test_a_path_that_a_store_would_cut_is_left_out() -> None:
    (article,), _ = read_bytes(SENTENCE.encode(), "a.txt", "/d" * 2048 + "/a.txt")
    assert article.path == ""


def test_two_rows_of_one_title_are_two_articles(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    texts = [f"{SENTENCE} {i}" for i in (1, 2, 1, 3)]
    path.write_text(lines(*({"titre": "Météo", "texte": t} for t in texts)), "utf-8")
    reading = Reading.of(read_files([path]))
    assert [a.text for a in reading.articles] == [texts[0], texts[1], texts[3]]
    (failure,) = reading.failures
    assert (failure.name, failure.reason) == (f"{path}#3", f"même article que {path.resolve()}#1")
    # The first has the id that it had alone, and a row above changes none of them.
    path.write_text(lines({"titre": "Météo", "texte": texts[0]}), "utf-8")
    assert Reading.of(read_files([path])).articles[0].id == reading.articles[0].id
    rows = [{"titre": "Autre", "texte": SENTENCE}, *({"titre": "Météo", "texte": t} for t in texts)]
    path.write_text(lines(*rows), "utf-8")
    assert [a.id for a in Reading.of(read_files([path])).articles[1:]] == [
        a.id for a in reading.articles
    ]


def lines(*rows: dict[str, str]) -> str:
    return "\n".join(map(json.dumps, rows))


def test_a_bad_row_of_a_csv_does_not_lose_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        f'titre;texte\nUn;{SENTENCE}\nDeux;"ouvert\nsur deux lignes\n\nTrois;{SENTENCE}\n'
        f'Quatre;"a"b\nCinq;"{SENTENCE}"\n',
        "utf-8",
    )
    reading = Reading.of(read_files([path]))
    assert [a.source.title for a in reading.articles] == ["Un", "Trois", "Cinq"]
    assert len(reading.failures) == 2
    assert all("guillemet" in f.reason for f in reading.failures)


def test_thousands_of_bad_rows_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("{\n" * 3000 + json.dumps({"texte": SENTENCE}), "utf-8")
    reading = Reading.of(read_files([path]))
    assert len(reading.articles) == 1
    assert len(reading.failures) == 1001
    assert reading.failures[-1].reason == "2000 autres lignes ne se lisent pas"


def test_two_visitors_may_send_files_of_one_name(tmp_path: Path) -> None:
    for name, text in (("a", "Un"), ("b", "Deux"), ("c", "Un")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "article.txt").write_text(f"Titre : T\n\n{SENTENCE} {text}.", "utf-8")
    sent = [tmp_path / name / "article.txt" for name in "abc"]
    reading = Reading.of(read_uploads(sent))
    assert len({a.id for a in reading.articles}) == 2
    assert {a.path for a in reading.articles} == {""}
    (failure,) = reading.failures
    assert (failure.name, failure.reason) == ("article.txt", "même article que T")
    assert Reading.of(read_uploads(sent[:1])).articles[0].id == reading.articles[0].id


def test_what_a_program_sends_is_read_in_bounds() -> None:
    article = read_text(SENTENCE, ".txt", "cms-1", {"title": "T", "url": "https://x.example/a"})
    assert (article.text, article.source.title, article.path) == (SENTENCE, "T", "")
    with pytest.raises(ReadError, match="aucun article"):
        read_text("<div>" * 50_000, ".html", "cms-2", {"title": "T"})
    with pytest.raises(ReadError, match="binaire"):
        read_text("a\0b", ".txt", "cms-3", {"title": "T"})


def test_a_file_that_changes_while_it_is_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"mot " * 1_000_000)
    stop = threading.Event()

    def write() -> None:
        with path.open("ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"x")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(ReadError, match=messages.FILE_CHANGED):
            _read_often(path)
    finally:
        stop.set()
        writer.join()


def _read_often(path: Path) -> None:
    for _ in range(1000):
        read_file(str(path), 100_000_000)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb\x1b[2J.txt", r"a\nb\x1b[2J.txt"),
        ("\u202eabc\u2066\u2028.txt", r"\u202eabc\u2066\u2028.txt"),
        ("caf\udce9 \ud800", r"caf\xe9 \ud800"),
        ("C:\\n été « à »\u00a0😀", "C:\\n été « à »\u00a0😀"),
    ],
)
def test_names_are_shown_safely(name: str, shown: str) -> None:
    assert printable(name) == printable(shown) == shown


@pytest.mark.skipif(sys.platform != "linux", reason="names that are not UTF-8")
def test_reports_show_names_safely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUPE_INDEX_DIR", str(tmp_path / "index"))
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "deux\nlignes.txt").write_text("")
    (folder / os.fsdecode(b"caf\xe9.txt")).write_text(SENTENCE)
    told = CliRunner().invoke(app, ["ingest", str(folder)])
    assert told.exit_code == 1
    assert told.stderr.splitlines() == [
        rf"Échec{NB}: {folder}/caf\xe9.txt{NB}: nom qui n’est pas en UTF-8{NB}: renommez-le",
        rf"Échec{NB}: {folder}/deux\nlignes.txt{NB}: fichier vide",
    ]
    as_json = CliRunner().invoke(app, ["ingest", str(folder), "--json"])
    names = [f["name"] for f in json.loads(as_json.stdout_bytes.decode("utf-8"))["failed"]]
    assert names == [rf"{folder}/caf\xe9.txt", rf"{folder}/deux\nlignes.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and links")
def test_what_is_no_file_of_the_folder_is_named(tmp_path: Path) -> None:
    outside = tmp_path / "ailleurs"
    outside.mkdir()
    (outside / "a.txt").write_text(SENTENCE, "utf-8")
    folder = tmp_path / "articles"
    folder.mkdir()
    os.mkfifo(folder / "tube.txt")
    (folder / "dehors.txt").symlink_to(outside / "a.txt")
    (folder / "autre").symlink_to(outside)
    (folder / "brise.txt").symlink_to("absent.txt")
    (folder / "photo.jpg").symlink_to("absente.jpg")
    (folder / "bon.txt").write_text(SENTENCE, "utf-8")
    files, failures = find_files([folder])
    reading = Reading.of(read_files(files))
    assert [Path(a.path).name for a in reading.articles] == ["bon.txt"]
    named = {Path(f.name).name for f in (*failures, *reading.failures)}
    assert named == {"tube.txt", "dehors.txt", "autre", "brise.txt"}
    # What is asked for by name is followed: it is what was wanted.
    files, failures = find_files([folder / "dehors.txt", folder / "autre"])
    assert (len(files), failures) == (2, [])


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="rights that bind")
def test_what_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(SENTENCE, "utf-8")
    (tmp_path / "a.txt").chmod(0)
    (tmp_path / "d").mkdir(0)
    files, failures = find_files([tmp_path])
    reasons = [f.reason for f in (*failures, *Reading.of(read_files(files)).failures)]
    assert len(reasons) == 2
    assert all("droits insuffisants" in r for r in reasons)


@pytest.mark.parametrize(
    "charset", ["utf-7", "undefined", "hex", "unicode_escape", "shift_jis", "\0", "x" * 9999]
)
def test_an_encoding_that_is_announced_is_a_hint(charset: str) -> None:
    assert decode("L'été".encode("cp1252"), charset) == "L'été"
    assert decode("Жa".encode("iso8859-5"), "iso-8859-5") == "Жa"


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html", ".jsonl", ".csv"])
@given(data=st.binary(max_size=300))
def test_no_bytes_make_a_reader_fail_otherwise(suffix: str, data: bytes) -> None:
    try:
        read_bytes(data, "a" + suffix, "a" + suffix)
    except ReadError as error:
        assert str(error)


def test_the_sample_corpus_reads_whole(corpus_reading: Reading) -> None:
    assert len(corpus_reading.articles) >= 40
    assert corpus_reading.failures == ()
    assert all(a.source.title and a.source.name for a in corpus_reading.articles)
    assert all(a.source.published for a in corpus_reading.articles)
