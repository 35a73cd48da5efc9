"""What the docs name is there."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path

import pytest

from rag.cli.main import app
from rag.settings import Settings
from tests.conftest import ROOT

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
