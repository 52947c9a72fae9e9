"""Writes image-metrics.json: FID, KID, precision, recall, density and coverage of small feature matrices.

Made with: numpy 2.4.6, scipy 1.17.1, Python 3.11.7, all in float64.
Command:   python3 test/golden/make-image-metrics.py   (pip install numpy==2.4.6 scipy==1.17.1)

FID is the formula of Heusel et al. 2017 with scipy.linalg.sqrtm of the plain product of the covariances. The features are
drawn, rounded to float32 and stored, so that every reader receives the same numbers.
"""

import json
import pathlib

import numpy as np
import scipy
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist


def fid(x, y):
    shift = x.mean(0) - y.mean(0)
    sx, sy = np.atleast_2d(np.cov(x, rowvar=False)), np.atleast_2d(np.cov(y, rowvar=False))
    return float(shift @ shift + np.trace(sx + sy - 2 * sqrtm(sx @ sy).real))


def mmd(x, y):
    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    m, n = len(x), len(y)
    kxx, kyy = kernel(x, x), kernel(y, y)
    within = (kxx.sum() - np.trace(kxx)) / (m * (m - 1)) + (kyy.sum() - np.trace(kyy)) / (n * (n - 1))
    return float(within - 2 * kernel(x, y).mean())


def neighbours(x, y, k, coverage_k):
    def radii(a, nearest):
        return np.sort(cdist(a, a), axis=1)[:, nearest]  # column 0 is the point itself

    across = cdist(x, y)
    wide = across <= radii(x, coverage_k)[:, None]
    return {
        "precision": float((across <= radii(x, k)[:, None]).any(0).mean()),
        "recall": float((across <= radii(y, k)[None, :]).any(1).mean()),
        "density": float(wide.sum() / (coverage_k * len(y))),
        "coverage": float(wide.any(1).mean()),
    }


def case(rng, name, n, m, width, shift, scale, mix):
    x = rng.standard_normal((n, width)) @ (np.eye(width) + mix * rng.standard_normal((width, width)))
    y = rng.standard_normal((m, width)) @ (np.eye(width) + mix * rng.standard_normal((width, width))) * scale + shift
    x, y = x.astype(np.float32), y.astype(np.float32)
    a, b = x.astype(np.float64), y.astype(np.float64)
    return {
        "name": name,
        "width": width,
        "real": x.ravel().tolist(),
        "generated": y.ravel().tolist(),
        "fid": fid(a, b),
        "mmd": mmd(a, b),
        "k": 3,
        "coverageK": 5,
        **neighbours(a, b, 3, 5),
    }


rng = np.random.default_rng(7)
cases = [
    case(rng, "one feature", 40, 50, 1, 0.5, 1.3, 0),
    case(rng, "correlated", 60, 45, 6, 0.2, 0.8, 0.5),
    case(rng, "far from 0", 50, 50, 5, 30, 1, 0.3),
    case(rng, "alike", 64, 64, 4, 0, 1, 0),
]
out = {"versions": {"numpy": np.__version__, "scipy": scipy.__version__}, "cases": cases}
path = pathlib.Path(__file__).with_name("image-metrics.json")
path.write_text(json.dumps(out) + "\n")
