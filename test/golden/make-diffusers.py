"""Writes diffusers.json: what the schedulers of diffusers do with a fixed denoiser and fixed noise.

Made with: diffusers 0.42.1, torch 2.15.0, numpy 2.4.6, Python 3.11.7.
Command:   python3 test/golden/make-diffusers.py   (pip install diffusers==0.42.1 torch==2.15.0)

The tables of each scheduler are recomputed in float64 and the state is float64, so that what is compared is the
equations, not float32 rounding. Two entries ("float32" true) keep the library's own float32 tables. clip_sample is off.

Denoiser:  eps(x, step) = sqrt(1 - abar) x + 0.5 sqrt(abar) sin(2 x + 3 step / T).
Noise:     z(i, step) = (hash(i, step) / 2^32 - 0.5) sqrt(12) rounded to float32, i = position in the [4, 2] state;
           x_T uses step 100000.
"""

import json
import math
import pathlib

import diffusers
import numpy as np
import torch
from diffusers import DDIMScheduler, DDPMScheduler
from diffusers.schedulers import scheduling_ddpm

SHAPE = (4, 2)
START_STEP = 100000
MASK = 0xFFFFFFFF


def hash32(i, step):
    h = (i * 0x9E3779B1 + step * 0x85EBCA77 + 0x165667B1) & MASK
    h = ((h ^ (h >> 16)) * 0x7FEB352D) & MASK
    h = ((h ^ (h >> 15)) * 0x846CA68B) & MASK
    return h ^ (h >> 16)


def noise(step, dtype=torch.float64):
    values = [np.float32((hash32(i, step) / 2**32 - 0.5) * math.sqrt(12)) for i in range(math.prod(SHAPE))]
    return torch.tensor(np.array(values, dtype=np.float32).reshape(SHAPE), dtype=dtype)


def denoise(x, step, abar, timesteps):
    return math.sqrt(1 - abar) * x + 0.5 * math.sqrt(abar) * torch.sin(2 * x + 3 * step / timesteps)


def exact_tables(timesteps):
    return torch.cumprod(1 - torch.linspace(1e-4, 0.02, timesteps, dtype=torch.float64), dim=0)


def make_scheduler(case):
    kind = DDPMScheduler if case["sampler"] == "ddpm" else DDIMScheduler
    options = {"variance_type": f"fixed_{case['variance']}"} if case["sampler"] == "ddpm" else {}
    scheduler = kind(
        num_train_timesteps=case["T"], clip_sample=False, timestep_spacing=case["spacing"], **options
    )
    if not case["float32"]:
        scheduler.betas = torch.linspace(1e-4, 0.02, case["T"], dtype=torch.float64)
        scheduler.alphas = 1 - scheduler.betas
        scheduler.alphas_cumprod = torch.cumprod(scheduler.alphas, dim=0)
        scheduler.one = scheduler.final_alpha_cumprod = torch.tensor(1.0, dtype=torch.float64)
    scheduler.set_timesteps(case["N"])
    return scheduler


def trajectory(case):
    dtype = torch.float32 if case["float32"] else torch.float64
    scheduler = make_scheduler(case)
    abars = exact_tables(case["T"])
    x = noise(START_STEP, dtype)
    states = []
    for step in scheduler.timesteps.tolist():
        eps = denoise(x, step, abars[step].item(), case["T"]).to(dtype)
        z = noise(step, dtype)
        if case["sampler"] == "ddpm":
            scheduling_ddpm.randn_tensor = lambda *_args, **_kwargs: z
            x = scheduler.step(eps, step, x).prev_sample
        else:
            x = scheduler.step(eps, step, x, eta=case["eta"], variance_noise=z).prev_sample
        states.append([float(f"{value:.9g}") for value in x.flatten().tolist()])
    keep = range(0, len(states), 100) if len(states) > 100 else range(len(states))
    kept = sorted({*keep, len(states) - 1})
    return {**case, "steps": scheduler.timesteps.tolist() if len(states) <= 100 else None,
            "kept": kept, "states": [states[i] for i in kept]}


def cases():
    for variance in ("small", "large"):
        plans = [(10, 10, "leading"), (1000, 1000, "leading")]
        plans += [(1000, n, spacing) for n in (10, 50) for spacing in ("leading", "trailing")]
        for timesteps, count, spacing in plans:
            yield dict(sampler="ddpm", variance=variance, T=timesteps, N=count, spacing=spacing, float32=False)
    for eta in (0, 0.5, 1):
        for count in (10, 50):
            for spacing in ("leading", "trailing", *(["linspace"] if count == 10 else [])):
                yield dict(sampler="ddim", eta=eta, T=1000, N=count, spacing=spacing, float32=False)
    yield dict(sampler="ddim", eta=0.5, T=1000, N=50, spacing="trailing", float32=True)
    yield dict(sampler="ddpm", variance="small", T=1000, N=50, spacing="leading", float32=True)


def spacings():
    plans = [(1000, count) for count in (7, 33, 48, 61, 64, 400)] + [(100, 8), (50, 20), (12, 8), (10, 10)]
    for spacing in ("leading", "trailing", "linspace"):
        for timesteps, count in plans:
            scheduler = DDIMScheduler(num_train_timesteps=timesteps, timestep_spacing=spacing)
            scheduler.set_timesteps(count)
            yield {"spacing": spacing, "T": timesteps, "N": count, "steps": scheduler.timesteps.tolist()}


def main():
    result = {
        "made_with": {"diffusers": diffusers.__version__, "torch": torch.__version__.split("+")[0], "numpy": np.__version__},
        "trajectories": [trajectory(case) for case in cases()],
        "spacings": list(spacings()),
    }
    path = pathlib.Path(__file__).with_name("diffusers.json")
    path.write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
