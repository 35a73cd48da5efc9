"""What the docs name is there."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

import rag
from rag.cli.main import app
from rag.settings import Settings
from tests.conftest import ROOT, run_python

RELIABILITY = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"\btest_\w+", RELIABILITY)))


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_a_page_names_exists(name: str) -> None:
    sources = [p.read_text(encoding="utf-8") for p in (ROOT / "tests").glob("test_*.py")]
    there = (ROOT / "tests" / f"{name}.py").exists()
    assert there or any(re.search(rf"\bdef {name}\(", source) for source in sources)


def test_each_wall_of_security_names_tests_that_there_are() -> None:
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "`test_" in line]
    assert len(rows) > 12
    named = set(re.findall(r"`(test_\w+\.py)`", page))
    assert [name for name in sorted(named) if not (ROOT / "tests" / name).exists()] == []


def test_many_faults_are_named() -> None:
    assert len(NAMED) > 30


def test_each_setting_has_its_row() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if f"`{name}`" not in page] == []


def test_each_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = readme[readme.index("## Commands") :]
    assert [name for name in app.commands if not re.search(rf"\b{name}\b", listed)] == []


def test_what_make_installs_reads_every_format_and_speaks_mcp() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    pinned = re.findall(r"(?m)^([\w.-]+)==", (ROOT / "requirements.lock").read_text("utf-8"))
    wanted = [re.split(r"[><=]", d)[0].lower() for name in ("files", "mcp") for d in extras[name]]
    assert wanted
    assert set(wanted) <= {name.lower() for name in pinned}


def test_one_s_own_articles_are_indexed_alone() -> None:
    for given, ingested in (("", "--if-empty"), ("ARTICLES=presse", "presse")):
        command = ["make", "-n", "chat", *([given] if given else [])]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        line = next(x for x in done.stdout.splitlines() if "ingest.py" in x)
        assert line.split("ingest.py", 1)[1].split() == [ingested]


def test_no_text_is_defined_twice() -> None:
    """The second takes the first's place: a reader was told of a server that he does not have."""
    tree = ast.parse((ROOT / "rag" / "texts.py").read_text("utf-8"))
    names = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert sorted(names) == sorted(set(names))


def test_the_unit_of_systemd_starts_a_command_that_there_is() -> None:
    unit = ROOT / "docs" / "recoupe.service"
    said = dict(re.findall(r"(?m)^(\w+)=(.*)$", unit.read_text("utf-8")))
    assert said["ExecStart"].split()[1:] == ["serve"]
    assert said["ReadWritePaths"] in (ROOT / "docs" / "deployment.md").read_text("utf-8")
    if analyze := shutil.which("systemd-analyze"):
        # Its paths are those of the machine that it is for.
        here = unit.read_text("utf-8").replace(said["ExecStart"], "/bin/true")
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / unit.name
            copy.write_text(re.sub(r"(?m)^(User|EnvironmentFile)=.*$", "", here), "utf-8")
            done = subprocess.run([analyze, "verify", str(copy)], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_front_door_s_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "docs"}
    for block in blocks:
        exec(compile(block, "docs/library.md", "exec"), names)


def test_the_front_door_opens_nothing_by_itself() -> None:
    code = "import rag, sys; print([n for n in sys.modules if n.startswith('rag.')]); rag.Article"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['rag.version']"
    assert {name: getattr(rag, name).__name__ for name in rag.__all__} == {
        n: n for n in rag.__all__
    }
    with pytest.raises(AttributeError):
        rag.nothing  # noqa: B018


def test_what_contributing_names_is_there() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:rag|tests)/[\w/.-]+)`", page)
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8")))
    assert set(re.findall(r"make ([a-z-]+)", page)) <= targets


def test_a_library_that_is_not_there_is_named_with_its_extra() -> None:
    """As on a server: measures and a hub's models want more than `make install` gives."""
    code = (
        "import sys\n"
        "sys.modules |= dict.fromkeys(('sentence_transformers', 'scipy', 'matplotlib'))\n"
        "from rag.models.hub import SentenceTransformersEmbedder\n"
        "from rag.errors import MissingExtraError\n"
        "try: SentenceTransformersEmbedder('x').embed_questions(['a'])\n"
        "except MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install -e '.[hub]'" in done.stdout


def test_what_make_installs_has_no_torch() -> None:
    pinned = (ROOT / "requirements.lock").read_text("utf-8")
    assert not re.search(r"(?m)^(torch|scipy|matplotlib|transformers)==", pinned)
    dev = (ROOT / "requirements-dev.lock").read_text("utf-8")
    assert re.search(r"(?m)^torch==", dev)


def test_each_file_of_the_data_folder_is_told(tmp_path: Path) -> None:
    index = tmp_path / "index"
    done = run_python(ROOT, index, "ingest.py", "corpus/", "--json")
    assert done.returncode == 0, done.stderr
    page = (ROOT / "docs" / "data-folder.md").read_text(encoding="utf-8")
    beside = re.compile(r"-wal$|-shm$")  # SQLite's own, beside a file
    made = [p.name for p in index.iterdir() if not beside.search(p.name)]
    assert [name for name in made if f"`{name}" not in page] == []
    assert "chroma" in made


def test_both_readmes_tell_the_same_figures() -> None:
    told = []
    for name in ("README.md", "README.fr.md"):
        table = (ROOT / name).read_text(encoding="utf-8").partition("223")[2]
        rows = [line for line in table.splitlines() if line.startswith("|")]
        told.append(re.findall(r"\b0[.,](\d\d)\b", "\n".join(rows[:7])))
    assert told[0] == told[1]
    assert len(told[0]) >= 7


def test_what_readers_are_told_of_errors_is_what_the_cards_and_the_readme_say() -> None:
    page = (ROOT / "rag" / "web" / "widget" / "about.html").read_text(encoding="utf-8")
    told = page[page.index("mesuré") : page.index("Là où")]
    figures = re.findall(r"(\d+) fois sur cent|Contredit\xa0» (\d+)|Contredit&nbsp;» (\d+)", told)
    shares = ["".join(f) for f in figures]
    assert len(shares) >= 6
    guide = (ROOT / "docs" / "guide-redaction.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    card = (ROOT / "docs" / "carte-systeme.md").read_text(encoding="utf-8")
    plain = " ".join(told.replace("&nbsp;", " ").split())
    for name in ("Soutenu", "Contredit"):
        (share,) = re.findall(rf"« {name} » juste[^|]*\| (\d+) %", card)
        said = rf"dit\s« {name} »,\s(?:c’est juste )?{share}\sfois\ssur\scent"
        assert re.search(said, plain), name
        assert re.search(said, guide), name
        assert re.search(rf"« {name} » (?:right )?0\.{share}\b", readme), name
    (share,) = re.findall(r"le bon verdict[^|]*\| (\d+) %", card)
    assert f"le bon {share} fois sur cent" in plain
    for name in ("carte-systeme.md", "system-card.md"):
        card = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert [s for s in shares if f"{s} %" not in card] == [], name
    assert "@" not in page
