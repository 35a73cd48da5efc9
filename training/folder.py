"""Writes networks: int8 graphs as those of `recoupe-models`, or a folder in fp32 for torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.models.comparer import NAME as COMPARER
from rag.models.embedding import DEFAULT as ENCODER
from rag.models.reader import NAME as READER
from training import graph, network, pieces

if TYPE_CHECKING:
    from training.graph import Array, Heads
    from training.network import Weights

MAX_TOKENS = 512


def write_int8(weights: Weights, folder: Path) -> None:
    """Write the encoder of `folder` in int8 and its tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    graph.save(weights, folder / f"{ENCODER}.onnx")
    _write_tokenizer(weights, folder)


def write_reader(weights: Weights, heads: Heads, folder: Path) -> None:
    """Write the reader of `folder` in int8 and its tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    graph.save_reader(weights, heads, folder / f"{READER}.onnx")
    _write_tokenizer(weights, folder)


def write_comparer(weights: Weights, head: tuple[Array, Array], folder: Path) -> None:
    """Write the comparer of `folder` in int8 and its tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    graph.save_comparer(weights, head, folder / f"{COMPARER}.onnx")
    _write_tokenizer(weights, folder)


def write_torch(weights: Weights, folder: Path) -> None:
    """Write `folder` with `model.safetensors` in fp32."""
    import torch
    from transformers import BertModel

    folder.mkdir(parents=True, exist_ok=True)
    model = network.bert(weights)
    # Loaders expect BERT's pooling layer, which mean pooling does not use.
    whole = BertModel(model.config, add_pooling_layer=True)
    if whole.pooler is not None:
        torch.nn.init.zeros_(whole.pooler.dense.weight)
    whole.load_state_dict(model.state_dict(), strict=False)
    whole.save_pretrained(folder)
    _write_texts(weights, folder)


def read_pieces(folder: Path) -> list[tuple[str, float]]:
    """Return the pieces of a folder written here, (text, log probability) in the order of ids."""
    stored = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    return [(text, score) for text, score in stored["model"]["vocab"]]


def _write_tokenizer(weights: Weights, folder: Path) -> None:
    pieces.tokenizer(weights.pieces).save(str(folder / "tokenizer.json"))


def _write_texts(weights: Weights, folder: Path) -> None:
    _write_tokenizer(weights, folder)
    specials = {
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "mask_token": "<mask>",
        "pad_token": "<pad>",
        "sep_token": "</s>",
        "unk_token": "<unk>",
    }
    _write(folder / "special_tokens_map.json", specials)
    _write(
        folder / "tokenizer_config.json",
        {
            **specials,
            "clean_up_tokenization_spaces": False,
            "model_input_names": ["input_ids", "attention_mask"],
            "model_max_length": MAX_TOKENS,
            "tokenizer_class": "PreTrainedTokenizerFast",
        },
    )
    config = network.config(weights).to_dict()
    config["architectures"] = ["BertModel"]
    config["model_type"] = "bert"
    config.pop("transformers_version", None)
    _write(folder / "config.json", config)
    modules = ["Transformer", "Pooling", "Normalize"]
    paths = ["", "1_Pooling", "2_Normalize"]
    _write(
        folder / "modules.json",
        [
            {
                "idx": i,
                "name": str(i),
                "path": path,
                "type": f"sentence_transformers.models.{module}",
            }
            for i, (module, path) in enumerate(zip(modules, paths, strict=True))
        ],
    )
    _write(
        folder / "sentence_bert_config.json",
        {"max_seq_length": MAX_TOKENS, "do_lower_case": False},
    )
    prompts = {"query": "query: ", "document": "passage: ", "passage": "passage: "}
    _write(
        folder / "config_sentence_transformers.json",
        {"prompts": prompts, "default_prompt_name": None, "similarity_fn_name": "cosine"},
    )
    pooling = {
        "word_embedding_dimension": weights.hidden,
        "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False,
        "include_prompt": True,
    }
    _write(folder / "1_Pooling" / "config.json", pooling)
    (folder / "2_Normalize").mkdir(exist_ok=True)
    _write(folder / "2_Normalize" / "config.json", {})


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
