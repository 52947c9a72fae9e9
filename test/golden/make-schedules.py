"""Writes schedules.json: the betas and noise levels that diffusers computes for its own schedules.

Made with: diffusers 0.42.1, torch 2.15.0, numpy 2.4.6, Python 3.11.7.
Command:   python3 test/golden/make-schedules.py   (pip install diffusers==0.42.1 torch==2.15.0)

The library's own code runs, but wherever it asks for float32 it gets float64, so that equations are compared and not
rounding. Betas are given at the positions in "kept"; "abarT" is the last of the products of 1 - beta.
"""

import json
import pathlib

import diffusers
import numpy as np
import torch

torch.float32 = torch.float64
torch.set_default_dtype(torch.float64)

from diffusers import DDPMScheduler, EulerDiscreteScheduler  # noqa: E402
from diffusers.schedulers.scheduling_ddpm import rescale_zero_terminal_snr  # noqa: E402

CASES = [
    ("linear", 1e-4, 0.02),
    ("linear", 2e-3, 0.4),
    ("scaled_linear", 1e-4, 0.02),
    ("scaled_linear", 0.00085, 0.012),
    ("squaredcos_cap_v2", None, None),
    ("sigmoid", 1e-4, 0.02),
]


def kept_of(timesteps):
    return sorted({*range(0, timesteps, max(1, timesteps // 25)), 1, timesteps - 2, timesteps - 1})


def entry(name, start, end, timesteps, rescaled):
    options = {} if start is None else {"beta_start": start, "beta_end": end}
    scheduler = DDPMScheduler(num_train_timesteps=timesteps, beta_schedule=name, **options)
    betas = rescale_zero_terminal_snr(scheduler.betas.clone()) if rescaled else scheduler.betas
    assert betas.dtype == torch.float64
    kept = kept_of(timesteps)
    return {
        "name": name,
        "betaStart": start,
        "betaEnd": end,
        "T": timesteps,
        "zeroTerminalSnr": rescaled,
        "kept": kept,
        "betas": [betas[i].item() for i in kept],
        "abarT": torch.cumprod(1 - betas, dim=0)[-1].item(),
    }


def karras(sigma_min, sigma_max, timesteps):
    ends = torch.tensor([sigma_max, sigma_min], dtype=torch.float64)
    sigmas = EulerDiscreteScheduler(use_karras_sigmas=True)._convert_to_karras(ends, timesteps)
    kept = kept_of(timesteps)
    ascending = np.asarray(sigmas, dtype=np.float64)[::-1]
    return {
        "sigmaMin": sigma_min,
        "sigmaMax": sigma_max,
        "T": timesteps,
        "kept": kept,
        "sigmas": [float(ascending[i]) for i in kept],
    }


def main():
    result = {
        "made_with": {"diffusers": diffusers.__version__, "torch": "2.15.0", "numpy": np.__version__},
        "schedules": [
            entry(name, start, end, timesteps, rescaled)
            for name, start, end in CASES
            for timesteps in (10, 1000)
            for rescaled in (False, True)
        ],
        "karras": [karras(*case) for case in ((0.002, 80.0, 18), (0.002, 80.0, 1000), (0.0292, 14.6146, 10))],
    }
    path = pathlib.Path(__file__).with_name("schedules.json")
    path.write_text(json.dumps(result, separators=(",", ":")) + "\n")


main()
