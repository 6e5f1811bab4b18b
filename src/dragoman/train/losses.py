"""What a training minimises.

In: a sentence-transformers model, its dimensions and the settings. Out: the loss: in-batch negatives, and a teacher's order where there
is one, inside a Matryoshka loss. It sees vectors and a teacher's scores, never texts.
"""

from typing import TYPE_CHECKING, Any

from dragoman.config import TrainSettings
from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_SHORTEST = 64
_SCALE = 20.0  # cosines are multiplied by it before each softmax, as MultipleNegativesRankingLoss does by itself


def matryoshka_dims(dimension: int, settings: TrainSettings) -> tuple[int, ...]:
    """The lengths at which vectors are trained.

    Args:
        dimension: The model's own.
        settings: Their ``dims``, if any, hold; those above the model's are left out.

    Returns:
        The model's own dimension, then shorter ones, longest first: as set, or else the powers of two up to two thirds of it, down
        to 64.

    Raises:
        ConfigError: A dimension below 1 is set.
    """
    for dim in settings.dims:
        if dim < 1:
            raise ConfigError(f"train.dims holds {dim}", expected="lengths of a vector, 1 or more")
    powers = (2**power for power in range(dimension.bit_length()))
    shorter = settings.dims or [power for power in powers if power >= _SHORTEST and 3 * power <= 2 * dimension]
    return tuple(sorted({dimension, *(dim for dim in shorter if dim < dimension)}, reverse=True))


def build_loss(model: "SentenceTransformer", settings: TrainSettings, *, taught: bool = False) -> Any:  # noqa: ANN401 - a torch module
    """The loss of a batch: columns of questions, passages and, behind them, negatives.

    MultipleNegativesRankingLoss (2017, https://arxiv.org/abs/1705.00652), with ``mini_batch`` through GradCache (2021,
    https://arxiv.org/abs/2101.06983), with ``both_ways`` as the mean of both directions; to which a teacher adds ``teacher_weight``
    times the Kullback-Leibler divergence of the model's distribution over a row's passages from the teacher's
    (2020, https://arxiv.org/abs/2010.11386); summed over the dimensions by MatryoshkaLoss (2022, https://arxiv.org/abs/2205.13147).

    Args:
        model: The model, which embeds the columns.
        settings: Dimensions, mini-batch, directions and the teacher's weight.
        taught: Whether each batch has the teacher's scores of its rows' passages as labels.

    Returns:
        A torch module, called with the columns' features and the labels.
    """
    from sentence_transformers.sentence_transformer.losses import (
        CachedMultipleNegativesRankingLoss,
        MatryoshkaLoss,
        MultipleNegativesRankingLoss,
    )

    ways: dict[str, Any] = {"scale": _SCALE}
    if settings.both_ways:
        ways |= {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"}
    if settings.mini_batch:
        ways["mini_batch_size"] = settings.mini_batch
    if taught:
        loss = _taught(model, settings, ways)
    elif settings.mini_batch:
        loss = CachedMultipleNegativesRankingLoss(model, **ways)
    else:
        loss = MultipleNegativesRankingLoss(model, **ways)
    return MatryoshkaLoss(model, loss, matryoshka_dims(model.get_embedding_dimension() or 0, settings))


def _taught(model: "SentenceTransformer", settings: TrainSettings, ways: dict[str, Any]) -> Any:  # noqa: ANN401 - a torch module
    import torch
    from sentence_transformers.sentence_transformer.losses import (
        CachedMultipleNegativesRankingLoss,
        DistillKLDivLoss,
        MultipleNegativesRankingLoss,
    )
    from sentence_transformers.util import pairwise_cos_sim

    # The library's temperature would also multiply the loss by its square, here by 1/400.
    teacher = DistillKLDivLoss(model, similarity_fct=lambda ours, theirs: pairwise_cos_sim(ours, theirs) * _SCALE)
    weight = settings.teacher_weight

    class Taught(MultipleNegativesRankingLoss):
        def compute_loss_from_embeddings(self, embeddings: list[torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
            ranking = super().compute_loss_from_embeddings(embeddings, labels)
            return ranking + weight * teacher.compute_loss_from_embeddings(embeddings, labels)

    class CachedTaught(CachedMultipleNegativesRankingLoss):
        def calculate_loss(
            self, reps: list[list[torch.Tensor]], labels: torch.Tensor, *, with_backward: bool = False
        ) -> torch.Tensor:
            ranking = super().calculate_loss(reps, labels, with_backward=with_backward)
            order = weight * teacher.compute_loss_from_embeddings([torch.cat(column) for column in reps], labels)
            if with_backward:
                order.backward()
            return ranking + order.detach() if with_backward else ranking + order

    return CachedTaught(model, **ways) if settings.mini_batch else Taught(model, **ways)
