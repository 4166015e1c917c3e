"""Makes glasso.json and factors.json: what scikit-learn says about small matrices.

    python3 -m venv V && V/bin/pip install scikit-learn==1.5.2 numpy
    V/bin/python make.py

glasso.json: counts of 12 slots by column, a penalty, whether variances are penalised (the
glasso package of R does, which Dark-GLASSO uses: the same as adding the penalty to the
diagonal beforehand), and the pairs of columns that the graphical lasso ties.

factors.json: counts by minute and network, the absolute singular vectors that Dark-NMF begins
with, and the factors after so many multiplicative updates. scikit-learn updates its left
factor first and Dark-NMF its right one, so the transposed problem is given to it.
"""
import json
import warnings

import numpy as np
from sklearn.covariance import graphical_lasso
from sklearn.decomposition import NMF

warnings.filterwarnings("ignore")
random = np.random.default_rng(20181020)


def counts(columns, group):
    """Counts of 12 slots: a few loud columns, many quiet ones, and a group in step."""
    rates = np.minimum(random.pareto(0.9, columns) * 0.1 + 0.05, 30)
    slots = random.poisson(rates, (12, columns))
    active = random.choice(12, 3, replace=False)
    slots[np.ix_(active, range(group))] += 1 + random.poisson(0.2, (3, group))
    return slots


def covariance(slots):
    logs = np.log(np.where(slots == 0, 0.1, slots))
    logs = logs - logs.mean(axis=0)
    return logs.T @ logs / 12


def lasso_case(slots, rho, penalised):
    matrix = covariance(slots) + (rho if penalised else 0) * np.eye(slots.shape[1])
    estimate, precision = graphical_lasso(
        matrix, alpha=rho, tol=1e-9, enet_tol=1e-11, max_iter=5000
    )
    pairs = np.argwhere(np.triu(np.abs(precision) > 1e-9, 1))
    # ties that rounding decides would make a test of rounding
    size = np.abs(precision[np.triu_indices(len(precision), 1)])
    clear = not np.any((size > 1e-12) & (size < 1e-5))
    return clear, {
        "counts": slots.T.tolist(),
        "rho": rho,
        "penalised": penalised,
        "pairs": pairs.tolist(),
    }


def lassos():
    cases = []
    for columns, group in ((2, 0), (5, 2), (8, 3), (14, 4), (20, 6), (26, 8)):
        for rho in (0.4, 0.6, 0.9):
            for penalised in (False, True):
                while True:
                    slots = counts(columns, group)
                    slots = slots[:, slots.min(axis=0) != slots.max(axis=0)]
                    if slots.shape[1] < 2:
                        continue
                    clear, case = lasso_case(slots, rho, penalised)
                    if clear:
                        break
                cases.append(case)
    # many equal columns: one block each
    for rho in (0.4, 0.7):
        for penalised in (False, True):
            slots = np.repeat(counts(6, 3), [1, 4, 2, 5, 1, 3], axis=1)
            slots = slots[:, slots.min(axis=0) != slots.max(axis=0)]
            cases.append(lasso_case(slots, rho, penalised)[1])
    return cases


def factor_case(networks, rank, updates):
    packets = random.poisson(random.pareto(1.2, networks) * 0.3 + 0.1, (30, networks))
    packets[5:8, : networks // 4] += random.poisson(3, (3, networks // 4))
    packets = packets[:, packets.sum(axis=0) >= 2]
    left, _, right = np.linalg.svd(packets, full_matrices=False)
    left, right = np.abs(left[:, :rank]), np.abs(right[:rank])
    model = NMF(rank, init="custom", solver="mu", max_iter=updates, tol=0)
    parts = model.fit_transform(
        packets.T.astype(float),
        W=np.array(right.T, order="C"),
        H=np.array(left.T, order="C"),
    )
    rhythms = model.components_.T
    return {
        "counts": packets.T.tolist(),
        "rank": rank,
        "updates": updates,
        "begin": {"rhythms": left.round(12).tolist(), "parts": right.T.round(12).tolist()},
        "end": {"rhythms": rhythms.round(9).tolist(), "parts": parts.round(9).tolist()},
        "error": float(((packets - rhythms @ parts.T) ** 2).mean()),
    }


def write(name, cases):
    with open(name, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


write("glasso.json", lassos())
write("factors.json", [factor_case(12, 1, 20), factor_case(25, 4, 40), factor_case(36, 8, 60)])
