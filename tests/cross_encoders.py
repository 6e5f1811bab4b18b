"""Two cross-encoders that are made on the spot, real ones of transformers' BERT: one that knows nothing, and one that is right.

In: a folder whose tokenizer they take. Out: a folder with the model. Neither is trained: what the second one does, it does by
weights that are worked out here.
"""

from pathlib import Path
from typing import Any

from dragoman.models.encoder import without_bars

_WORD = (
    60  # dimensions of a word's own vector; then its side of the pair, whether it was found, their share, and a balance
)
_SIDE, _FOUND, _SHARE, _BALANCE = range(_WORD, _WORD + 4)
_LONGEST = 128


def write_untaught(folder: Path, tokenizer: Path, *, seed: int = 7, labels: int = 1) -> Path:
    """Write a model of random weights, as sentence-transformers saves a cross-encoder."""
    import torch
    from sentence_transformers import CrossEncoder
    from transformers import BertForSequenceClassification

    plain = folder.with_name(folder.name + "-plain")
    torch.manual_seed(seed)
    _save(BertForSequenceClassification(_config(32, labels=labels, initializer_range=0.2)), plain, tokenizer)
    with without_bars():
        model = CrossEncoder(str(plain), local_files_only=True, device="cpu")
        model.save_pretrained(str(folder), create_model_card=False)
    return folder


def write_word_counter(folder: Path, tokenizer: Path) -> Path:
    """Write a model whose score grows with the share of the question's words that are in the passage.

    Its first layer lets every word look for itself on the other side of the pair, and notes which side it ended on; its
    second takes the mean of these notes over the question. The folder is as transformers saves it, as most on the Hub are.
    """
    import torch
    from transformers import BertForSequenceClassification

    torch.manual_seed(7)
    model = BertForSequenceClassification(_config(_WORD + 4))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        for module in model.modules():
            if isinstance(module, torch.nn.LayerNorm):
                module.weight.fill_(1)
        _embed(model.bert.embeddings)
        look, gather = model.bert.encoder.layer
        _look(look.attention)
        _gather(gather.attention)
        model.bert.pooler.dense.weight[0, _SHARE] = 1
        model.classifier.weight[0, 0] = -4  # those that were not found stay on the question's side, which is +1
    _save(model, folder, tokenizer)
    return folder


def _embed(embeddings: Any) -> None:
    import torch

    half = torch.cat([torch.ones(_WORD // 2), -torch.ones(_WORD // 2)])
    words = embeddings.word_embeddings.weight
    words[:, :_WORD] = half[torch.rand(len(words), _WORD).argsort(dim=1)]
    for kind, side in enumerate((1.0, -1.0)):
        embeddings.token_type_embeddings.weight[kind, _SIDE] = side
        embeddings.token_type_embeddings.weight[kind, _BALANCE] = -side


def _look(attention: Any) -> None:
    own = attention.self
    for place in range(_WORD):
        own.query.weight[place, place] = 2
        own.key.weight[place, place] = 1
    own.query.weight[_SIDE, _SIDE] = 24  # less for its own side than a word is worth, more than two words that are like
    own.key.weight[_SIDE, _SIDE] = -1
    own.value.weight[_FOUND, _SIDE] = 1
    attention.output.dense.weight[_FOUND, _FOUND] = 1


def _gather(attention: Any) -> None:
    own = attention.self
    own.query.bias[_SIDE] = 100
    own.key.weight[_SIDE, _SIDE] = 1
    own.value.weight[_SHARE, _FOUND] = 1
    attention.output.dense.weight[_SHARE, _SHARE] = 1


def _config(width: int, *, labels: int = 1, **settings: float) -> Any:
    from transformers import BertConfig

    return BertConfig(
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=1,
        intermediate_size=32,
        max_position_embeddings=_LONGEST,
        num_labels=labels,
        **settings,
    )


def _save(model: Any, folder: Path, tokenizer: Path) -> None:
    from transformers import AutoTokenizer

    with without_bars():
        model.save_pretrained(str(folder))
    AutoTokenizer.from_pretrained(str(tokenizer), local_files_only=True).save_pretrained(str(folder))
