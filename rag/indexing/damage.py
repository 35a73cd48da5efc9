"""What damaged files of tantivy raise, in French: its Rust panics over some."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from rag import messages
from rag.errors import StoreError

log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


class _InFolder(Protocol):
    folder: Path


Self = TypeVar("Self", bound=_InFolder)


def report_damage(
    method: Callable[Concatenate[Self, P], R],
) -> Callable[Concatenate[Self, P], R]:
    """Make a method of what lies in a folder raise StoreError over damaged files."""

    @functools.wraps(method)
    def wrapped(self: Self, /, *given: P.args, **named: P.kwargs) -> R:
        try:
            return method(self, *given, **named)
        except BaseException as error:
            if is_damage(error):
                log.info("index lexical", exc_info=True)
                raise StoreError(messages.DAMAGED_WORDS.format(self.folder)) from error
            raise

    return wrapped


def is_damage(error: BaseException) -> bool:
    """Tell whether an error speaks of damaged files."""
    return isinstance(error, ValueError | OSError) or type(error).__name__ == "PanicException"


def unwritable(folder: Path, error: Exception) -> StoreError:
    """Return what is to be raised where the words of a folder cannot be written."""
    return StoreError(messages.WORDS_NOT_WRITTEN.format(folder, error))
