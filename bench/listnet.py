"""Fit a linear ranking: ListNet with a top-one target (Cao et al., ICML 2007)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Matrix = NDArray[np.float64]
Group = tuple[Matrix, NDArray[np.bool_]]  # features (candidates, features), which are right


def fit_ranking(
    groups: Sequence[Group],
    penalty: float,
    shares: Sequence[float] | None = None,
    *,
    prior: Matrix | None = None,
    positive: bool = False,
) -> Matrix:
    """Return weights, of shape (features,), that maximise the softmax share of right candidates.

    `penalty` weighs the squared distance to the weights `prior` (default 0), of
    features scaled to unit deviation; `shares` weighs each group (default 1); `positive` allows no
    weight below 0. Groups without a right candidate are left out.
    """
    weighed = [
        (x, right, k)
        for (x, right), k in zip(groups, shares or [1.0] * len(groups), strict=True)
        if right.any()
    ]
    scale: Matrix = np.vstack([x for x, _, _ in weighed]).std(0) + 1e-9

    start = np.zeros(len(scale)) if prior is None else prior * scale

    def loss(w: Matrix) -> tuple[float, Matrix]:
        away = w - start
        total, gradient = penalty * float(away @ away), 2 * penalty * away
        for x, right, k in weighed:
            z = (x / scale) @ w
            p = np.exp(z - z.max())
            p /= p.sum()
            mass = p[right].sum()
            total -= k * float(np.log(mass + 1e-12))
            gradient = gradient - k * (np.where(right, p, 0) / mass - p) @ (x / scale)
        return total, gradient

    bounds = [(0.0 if positive else None, None)] * len(scale)
    fitted: Matrix = minimize(loss, start, jac=True, bounds=bounds).x / scale
    return fitted
