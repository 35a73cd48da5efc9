"""The networks that Recoupe ships: ONNX graphs, their table of pieces, tokenizer and heads.

`FOLDER` is where they lie; see the cards beside them.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
