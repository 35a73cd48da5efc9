"""The tokenizer: XLM-RoBERTa's pieces, and the choice of those that French and English use."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")  # ids 0 to 3
MASK = "<mask>"  # the last id
SPACE = "▁"

# Letters of these scripts stay even where the counted texts lack them: names are written with them.
SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "ARMENIAN", "GEORGIAN")

Pieces = Sequence[tuple[str, float]]


def tokenizer(pieces: Pieces, *, max_length: int | None = None) -> Tokenizer:
    """Return a tokenizer over `pieces`, (text, log probability) in the order of their ids.

    SentencePiece's nmt_nfkc is a table of its own; Nmt then NFKC do the same on every character but
    U+FF5E. `max_length` counts the two marks around a text; longer texts are cut.
    """
    made = Tokenizer(models.Unigram(list(pieces), unk_id=3, byte_fallback=False))
    made.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always"),
        ]
    )
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    made.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="always")
    made.add_special_tokens([*SPECIALS, MASK])
    if max_length:
        made.enable_truncation(max_length)
    return made


def texts_in(path: Path) -> Iterator[str]:
    """Yield the strings of a JSON or JSON lines file, or the lines of any other."""
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".json":
        yield from _strings(json.loads(text))
    elif path.suffix == ".jsonl":
        for line in text.splitlines():
            yield from _strings(json.loads(line))
    else:
        yield from text.splitlines()


def count(pieces: Pieces, texts: Iterable[str]) -> Counter[int]:
    """Return how often each piece, by id, is used to write `texts`."""
    full = tokenizer(pieces)
    encoded = full.encode_batch_fast(list(texts), add_special_tokens=False)
    return Counter(i for e in encoded for i in e.ids)


def kept(pieces: Pieces, used: Iterable[int]) -> list[int]:
    """Return, in order, the ids to keep: those used, marks, signs and single letters."""
    chosen = set(used) | set(range(len(SPECIALS)))
    chosen.update(i for i, (piece, _) in enumerate(pieces) if _single(piece))
    chosen.discard(len(pieces) - 1)
    return [*sorted(chosen), len(pieces) - 1]


def _single(piece: str) -> bool:
    """Say whether the piece is one character that any text may need."""
    char = piece.removeprefix(SPACE)
    if len(char) != 1:
        return not char
    if not unicodedata.category(char).startswith(("L", "M")):
        return True
    return unicodedata.name(char, "").split(" ")[0] in {*SCRIPTS, "COMBINING"}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
