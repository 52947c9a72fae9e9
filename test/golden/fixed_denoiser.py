"""What every generator of diffusers' trajectories shares: a fixed denoiser, fixed noise and exact tables.

Denoiser: with a = abar, phase p = 3 step / T, it predicts
  epsilon       sqrt(1 - a) x + 0.5 sqrt(a) sin(2 x + p)
  sample        0.9 sin(2 x + p)
  v_prediction  0.4 sqrt(1 - a) x + 0.5 sin(2 x + p)
and of its variance range cos(3 x + p), and log sigma^2 = 0.5 cos(3 x + p) - 4.
Noise: z(i, step) = (hash(i, step) / 2^32 - 0.5) sqrt(12) rounded to float32, i = position in the [4, 2] state; x_T uses
step 100000.
"""

import math
import pathlib

import diffusers
import json
import numpy as np
import torch

SHAPE = (4, 2)
START_STEP = 100000
MASK = 0xFFFFFFFF


def hash32(i, step):
    h = (i * 0x9E3779B1 + step * 0x85EBCA77 + 0x165667B1) & MASK
    h = ((h ^ (h >> 16)) * 0x7FEB352D) & MASK
    h = ((h ^ (h >> 15)) * 0x846CA68B) & MASK
    return h ^ (h >> 16)


def noise(step, dtype=torch.float64, shape=SHAPE):
    values = [np.float32((hash32(i, step) / 2**32 - 0.5) * math.sqrt(12)) for i in range(math.prod(SHAPE))]
    return torch.tensor(np.array(values, dtype=np.float32).reshape(shape), dtype=dtype)


def denoise(prediction, x, step, abar, timesteps):
    wave = torch.sin(2 * x + 3 * step / timesteps)
    if prediction == "epsilon":
        return math.sqrt(1 - abar) * x + 0.5 * math.sqrt(abar) * wave
    return 0.9 * wave if prediction == "sample" else 0.4 * math.sqrt(1 - abar) * x + 0.5 * wave


def variance_wave(x, step, timesteps):
    return torch.cos(3 * x + 3 * step / timesteps)


def exact_betas(timesteps):
    return torch.linspace(1e-4, 0.02, timesteps, dtype=torch.float64)


def exact_tables(timesteps):
    return torch.cumprod(1 - exact_betas(timesteps), dim=0)


def rounded(state):
    values = [float(f"{value:.9g}") for value in state.flatten().tolist()]
    return values if all(map(math.isfinite, values)) else None


def write(name, result):
    made_with = {"diffusers": diffusers.__version__, "torch": torch.__version__.split("+")[0], "numpy": np.__version__}
    path = pathlib.Path(__file__).with_name(name)
    path.write_text(json.dumps({"made_with": made_with, **result}, separators=(",", ":")) + "\n")
