"""What the docs name is there."""

from __future__ import annotations

import re

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


def test_many_faults_are_named() -> None:
    assert len(NAMED) > 30


def test_each_setting_has_its_row() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if f"`{name}`" not in page] == []


def test_each_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = readme[readme.index("## Commands") :]
    assert [name for name in app.commands if not re.search(rf"\b{name}\b", listed)] == []
