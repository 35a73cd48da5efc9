"""Settings say what they do not understand, and the index does not depend on where one stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from rag.cli.main import app
from rag.errors import SettingsError
from rag.settings import load_settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of nobody's project, and the user's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "ailleurs").mkdir()
    monkeypatch.chdir(tmp_path / "ailleurs")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "value", "parts"),
    [
        ("RECOUPE_CAUTON", "0.5", ["RECOUPE_CAUTON", "RECOUPE_CAUTION"]),
        ("RECOUPE_THRESHOLD", "0.5", ["RECOUPE_THRESHOLD", "RECOUPE_CAUTION"]),
        ("RECOUPE_ALOWED_ORIGINS", "x", ["RECOUPE_ALLOWED_ORIGINS"]),
        ("RECOUPE_ZORGLUB", "x", ["RECOUPE_ZORGLUB", "docs/settings.md"]),
        ("RECOUPE_PORT", "abc", ["RECOUPE_PORT", "«\u00a0abc\u00a0»", "nombre entier", "7860"]),
        ("RECOUPE_CAUTION", "2", ["RECOUPE_CAUTION", "«\u00a02\u00a0»", "trop grand", "0.5"]),
        ("RECOUPE_SOURCES", "[1", ["RECOUPE_SOURCES", "«\u00a0[1\u00a0»", "https://"]),
        ("RECOUPE_LOG_LEVEL", "TRES", ["RECOUPE_LOG_LEVEL", "valeurs prévues", "INFO"]),
        ("RECOUPE_PUBLIC_TEXT", "peut-être", ["RECOUPE_PUBLIC_TEXT", "false"]),
    ],
)
def test_a_variable_that_is_wrong_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, parts: list[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as told:
        load_settings()
    message = str(told.value)
    assert all(part in message for part in parts), message
    assert "recoupe.toml" not in message
    assert not any(word in message for word in ("Input", "should", "JSON object"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("port = 'abc'", ["recoupe.toml", "port", "7860"]),
        ("cauton = 0.5", ["recoupe.toml", "cauton", "caution"]),
        ("port = ", ["recoupe.toml", "ne se lit pas"]),
    ],
)
def test_what_is_wrong_in_the_file_is_said_of_the_file(
    home: Path, text: str, parts: list[str]
) -> None:
    Path("recoupe.toml").write_text(text, "utf-8")
    with pytest.raises(SettingsError) as told:
        load_settings()
    assert all(part in str(told.value) for part in parts), told.value


def test_a_key_is_never_repeated(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUPE_LLM_TIMEOUT", "x")
    monkeypatch.setenv("RECOUPE_LLM_API_KEY", "sk-secret")
    with pytest.raises(SettingsError) as told:
        load_settings()
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "value",
    [
        '["https://a.example", "https://b.example"]',
        "https://a.example, https://b.example",
        "https://a.example,https://b.example,",
    ],
)
def test_a_list_is_json_or_words_between_commas(
    home: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("RECOUPE_ALLOWED_ORIGINS", value)
    assert load_settings().allowed_origins == ("https://a.example", "https://b.example")
    monkeypatch.setenv("RECOUPE_ALLOWED_ORIGINS", "")
    assert load_settings().allowed_origins == ()


def test_the_index_is_the_project_s_wherever_one_stands_in_it(home: Path) -> None:
    assert load_settings().index_dir == home / "share" / "recoupe" / "index"
    project, inside = home / "journal", home / "journal" / "archives" / "2024"
    inside.mkdir(parents=True)
    (project / "recoupe.toml").write_text("port = 7999", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(inside)
        assert load_settings().index_dir == project / ".recoupe"
        assert load_settings().port == 7999
        (project / "recoupe.toml").write_text('index_dir = "donnees"', "utf-8")
        assert load_settings().index_dir == project / "donnees"
        patch.setenv("RECOUPE_INDEX_DIR", "ici")
        assert load_settings().index_dir == Path("ici")


@pytest.mark.parametrize(
    "command",
    [
        ("ask", "Qui ?"),
        ("search", "x"),
        ("verify", "Le pont est fermé."),
        ("list",),
        ("show", "a"),
        ("history", "a"),
        ("compact",),
        ("doctor",),
    ],
)
def test_a_question_makes_no_index_and_says_where_it_looked(
    home: Path, command: tuple[str, ...]
) -> None:
    done = CliRunner().invoke(app, [*command])
    assert done.exit_code == 1
    assert str(home / "share" / "recoupe" / "index") in done.output
    assert "recoupe ingest" in done.output
    assert not (home / "share").exists()
    assert list(Path.cwd().iterdir()) == []
