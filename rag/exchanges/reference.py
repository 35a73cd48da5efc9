"""Reference questions that the newsroom makes of exchanges, as `recoupe eval answers` reads them.

One JSON object a line, in `reference.jsonl` of the index's folder. An article that answers stands
as a whole, by its id and its length: no text of it is in the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from rag import messages
from rag.errors import StoreError, why

FILE, KIND = "reference.jsonl", "rédaction"
# What ends a line for Python, and no line of JSON.
_BREAKS = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}
_WAIT_SECONDS = 10.0  # seconds for another process that writes


@dataclass(frozen=True, slots=True)
class Reference:
    """A question and the articles that answer it, each with its length; none: nothing does."""

    id: str
    question: str
    articles: tuple[tuple[str, int], ...] = ()

    def line(self) -> str:
        """Return it as a line of the file."""
        answers = [{"article_id": i, "start": 0, "end": end} for i, end in self.articles]
        row = {"id": self.id, "question": self.question, "answers": answers, "kind": KIND}
        return json.dumps(row, ensure_ascii=False).translate(_BREAKS) + "\n"

    @classmethod
    def of(cls, row: dict[str, Any]) -> Reference:
        """Make it of a line's object. Raises KeyError, TypeError."""
        articles = tuple((str(a["article_id"]), int(a["end"])) for a in row["answers"])
        return cls(str(row["id"]), str(row["question"]), articles)


class ReferenceQuestions:
    """The file, in the folder of an index. Several processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing is written yet."""
        self.path = folder / FILE

    def all(self) -> list[Reference]:
        """Return the questions in the order they were made. Raises StoreError."""
        if not self.path.exists():
            return []
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
            return [Reference.of(json.loads(line)) for line in lines if line.strip()]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._refused(error) from error

    def put(self, reference: Reference) -> None:
        """Add a question, in the place of the one of its id. Raises StoreError."""
        with self._locked():
            found = {r.id: r for r in self.all()} | {reference.id: reference}
            self._write(found.values())

    def remove(self, key: str) -> None:
        """Remove the question of an id, if there is one. Raises StoreError."""
        with self._locked():
            if self.path.exists():
                self._write([r for r in self.all() if r.id != key])

    def forget(
        self, sentences: Sequence[str], articles: Iterable[str], masked: Callable[[str], str]
    ) -> None:
        """Forget what quotes some sentences or rests on some articles; mask the rest again.

        Raises StoreError.
        """
        if not self.path.exists():
            return
        erased = set(articles)
        with self._locked():
            standing = [
                Reference(r.id, masked(r.question), r.articles)
                for r in self.all()
                if not any(s in r.question for s in sentences)
                and not erased & {i for i, _ in r.articles}
            ]
            self._write(standing)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            with FileLock(self.path.with_suffix(".lock"), timeout=_WAIT_SECONDS):
                yield
        except OSError as error:  # filelock's Timeout is one
            raise self._refused(error) from error

    def _write(self, references: Iterable[Reference]) -> None:
        """Write the file whole, seen at once or not at all."""
        text = "".join(r.line() for r in references)
        draft = self.path.with_suffix(".partial")
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.path)

    def _refused(self, error: Exception) -> StoreError:
        reason = why(error) if isinstance(error, OSError) else repr(error)
        return StoreError(messages.REFERENCES_REFUSED.format(self.path, reason))
