"""The right to be forgotten: nothing of an article remains, and the proof can fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from rag.assistant import LocalAssistant
from rag.cli.main import app
from rag.domain import Article, Reading, Source
from rag.feedback import Feedback, FeedbackStore
from rag.indexing.erasure import blank, byte_forms, files_of, remaining
from rag.settings import load_settings
from rag.texts import ANSWER_GONE
from rag.web.limits import Gate, Rates
from rag.web.sealing import Seal
from rag.web.verify_tab import VerifyTab
from tests.test_api import serving, with_settings
from tests.test_limits import answered, function_of

SECRET = (
    "Monsieur Aurélien Tardivel a été entendu mardi par le juge de Sarrelle, a dit son avocate."
)
OTHER = "Le bac de Lérins a repris ses traversées mardi matin, après onze jours d’arrêt."
SHARED = "La séance publique reprendra jeudi à quatorze heures au palais de justice."


def article(key: str, *lines: str) -> Article:
    source = Source(f"Titre de l’article {key} entier", "Le Rivage", published=date(2024, 5, 7))
    return Article(key, source, "\n\n".join(lines))


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[LocalAssistant]:
    made = LocalAssistant(load_settings(index_dir=tmp_path / "index"))
    filler = [article(f"autre-{n}", OTHER.replace("onze", str(n + 12))) for n in range(40)]
    made.ingest(Reading((article("proces", SECRET, SHARED), article("audience", SHARED), *filler)))
    yield made
    made.close()


def holds(folder: Path, said: str) -> list[str]:
    """Return the files that hold a sentence, by another way than the code's own."""
    forms = (said.encode(), said.encode("utf-16-le"), json.dumps(said)[1:-1].encode())
    return [
        str(p) for p in folder.rglob("*") if p.is_file() and any(f in p.read_bytes() for f in forms)
    ]


def test_what_is_removed_for_good_is_nowhere(assistant: LocalAssistant) -> None:
    folder = assistant.settings.index_dir
    kept = FeedbackStore(folder, 90, 50)
    kept.add(Feedback("wrong", "Qui a été entendu ?", f"Selon Le Rivage : {SECRET}"))
    kept.add(Feedback("useful", "Le bac ?", OTHER))
    # An older version, and one that was removed the plain way: the store keeps their bytes.
    assistant.ingest(Reading((article("proces", SECRET + " Il nie tout.", SHARED),)))
    assert holds(folder, SECRET)
    proof = assistant.erase(["proces", "absent"])
    assert proof.articles == ("proces",)
    assert proof.proven
    assert proof.sentences == 3
    assert proof.files > 5
    assert not holds(folder, SECRET)
    assert not holds(folder, "Tardivel")
    assert proof.feedback == 1
    assert len(list(kept.all())) == 1
    # What another article says too stays that one's, and is told.
    assert proof.shared == (("audience", 1),)
    assert assistant.index.articles() == 41
    assert not assistant.check()
    assert not assistant.ask("Qui a été entendu mardi par le juge ?").statements
    assert assistant.search("bac de Lérins", 5)


def test_the_index_is_whole_when_it_is_opened_again(assistant: LocalAssistant) -> None:
    assistant.erase(["proces"])
    settings = assistant.settings
    assistant.close()
    again = LocalAssistant(settings)
    assert again.index.articles() == 41
    assert not again.check()
    again.close()


def test_what_another_article_said_before_is_told(assistant: LocalAssistant) -> None:
    assistant.ingest(Reading((article("autre-3", SECRET + " Le reste."),)))
    assistant.ingest(
        Reading((article("autre-3", "Le texte a été refait par la rédaction entière."),))
    )
    proof = assistant.erase(["proces"])
    assert dict(proof.shared)["autre-3"] == 1


def test_a_text_of_short_sentences_is_looked_for_too(assistant: LocalAssistant) -> None:
    short = Article("court", Source("Court"), "Oui. Non. Il a tué Zoé. Elle nie.")
    assistant.ingest(Reading((short,)))
    proof = assistant.erase(["court"])
    assert proof.proven
    assert proof.sentences == 1
    assert not assistant.erase(["jamais-vu"]).proven


def test_a_file_that_still_holds_a_sentence_fails_the_proof(assistant: LocalAssistant) -> None:
    folder = assistant.settings.index_dir
    (folder / "oublie.json").write_text(json.dumps({"copie": SECRET}))
    proof = assistant.erase(["proces"])
    assert not proof.proven
    assert proof.found == (("oublie.json", 1),)


def test_memory_that_was_written_with_the_vectors_is_blanked(tmp_path: Path) -> None:
    place = tmp_path / "data_level0.bin"
    place.write_bytes(
        b"\1" * 100 + SECRET.encode() + b"\2" * 50 + json.dumps(SECRET)[1:-1].encode()
    )
    size = place.stat().st_size
    blank(place, [SECRET, OTHER])
    assert not list(remaining([place], [SECRET]))
    assert place.stat().st_size == size
    assert place.read_bytes()[:100] == b"\1" * 100
    assert b"\2" * 50 in place.read_bytes()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_every_way_of_writing_is_looked_for(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "vide").touch()
    (tmp_path / "texte").write_bytes(b"\0" * 5000 + SECRET.encode(encoding) + b"\0")
    (tmp_path / "json").write_text(json.dumps([SECRET]))
    found = {path.name for path, _ in remaining(files_of(tmp_path), [SECRET])}
    assert found == {"texte", "json"}
    assert len(byte_forms(SECRET)) == 3


def test_the_command_writes_the_proof(assistant: LocalAssistant, tmp_path: Path) -> None:
    index = str(assistant.settings.index_dir)
    assistant.close()
    proof = tmp_path / "preuve.json"
    done = CliRunner().invoke(app, ["remove", "proces", "--proof", str(proof), "--index", index])
    assert done.exit_code == 0, done.output
    assert "Rien n’en reste" in done.output
    told = json.loads(proof.read_text("utf-8"))
    assert told["proven"]
    assert told["articles"] == ["proces"]
    assert "Tardivel" not in proof.read_text("utf-8")
    again = CliRunner().invoke(app, ["remove", "proces", "--proof", str(proof), "--index", index])
    assert again.exit_code == 1


def test_what_a_browser_kept_of_it_is_not_shown_again(assistant: LocalAssistant) -> None:
    tab = VerifyTab(assistant, Rates(assistant.settings), Gate(2, 4), {})
    checked = assistant.verify("Aurélien Tardivel a été entendu par le juge de Sarrelle.")
    kept = tab.sealed(checked)
    cited = {e.citation.article_id for e in checked.claims[0].evidence}
    assert cited
    assert tab.restore(kept)[1] == kept
    assistant.remove(sorted(cited))
    html, left = tab.restore(kept)
    assert "retiré du corpus depuis la vérification" in html
    (claim,) = Seal(assistant.settings.index_dir, "verification").open(left)["claims"]
    assert claim["verdict"] == "Preuves insuffisantes"
    assert not claim["evidence"]
    quotes = [e.citation.quote for e in checked.claims[0].evidence]
    assert not any(quote in html or quote in str(claim) for quote in quotes)


def test_an_open_chat_does_not_send_it_again(assistant: LocalAssistant) -> None:
    """The conversation of a session is shown whole at each question, old quotes with it."""
    served = with_settings(assistant, rate_client="1000/minute")
    with serving(served) as url, httpx.Client(base_url=url, timeout=60) as client:
        ask = function_of(client, "rc-send", "click")

        def asked(question: str) -> str:
            body = {
                "fn_index": ask,
                "session_hash": "page",
                "data": [question, None, "", [], [], [], "", "", ""],
            }
            assert client.post("/gradio_api/queue/join", json=body).status_code == 200
            lines = answered(client, "page").split("data:")
            return json.dumps([json.loads(line) for line in lines if line], ensure_ascii=False)

        assert "juge de Sarrelle" in asked("Qui a été entendu mardi par le juge de Sarrelle ?")
        assert "juge de Sarrelle" in asked("Le bac de Lérins a-t-il repris ses traversées ?")
        assistant.erase(["proces"])
        after = asked("Le bac de Lérins a-t-il repris ses traversées ?")
    assert "Tardivel" not in after
    assert ANSWER_GONE.rstrip(".")[-30:] in after.replace("\u00a0", " ").replace("’", "'")


def test_what_a_keeper_sent_is_looked_through(assistant: LocalAssistant) -> None:
    """The framework's own cache lies in the folder of the index."""
    left = assistant.settings.index_dir / "uploads" / "abc" / "article.txt"
    left.parent.mkdir(parents=True)
    left.write_text(SECRET, "utf-8")
    proof = assistant.erase(["proces"])
    assert dict(proof.found) == {"uploads/abc/article.txt": 1}
    assert not proof.proven
