"""Writes diffusers-solvers.json: what the ODE and SDE solvers of diffusers do with a fixed denoiser and fixed noise.

Made with: diffusers 0.42.1, torch 2.15.0, numpy 2.4.6, Python 3.11.7.
Command:   python3 test/golden/make-diffusers-solvers.py   (pip install diffusers==0.42.1 torch==2.15.0)

Betas and noise levels are recomputed in float64 and the state is float64, but for the casts to float32 within the steps of
Euler and DPM-Solver++. Euler and Heun hold x / sqrt(abar): the states here are divided by sqrt(sigma^2 + 1) at the level
they have reached, and the run starts from x_T itself. The denoiser and the noise are in fixed_denoiser.py.
"""

import numpy as np
import torch
from diffusers import (DPMSolverMultistepScheduler, EulerDiscreteScheduler, HeunDiscreteScheduler,
                       UniPCMultistepScheduler)
from diffusers.schedulers import scheduling_euler_discrete

import fixed_denoiser as fixed

KINDS = {"euler": EulerDiscreteScheduler, "heun": HeunDiscreteScheduler, "dpmpp-2m": DPMSolverMultistepScheduler,
         "dpmpp-2m-sde": DPMSolverMultistepScheduler, "unipc": UniPCMultistepScheduler}


def make_scheduler(case):
    options = dict(num_train_timesteps=case["T"], beta_start=1e-4, beta_end=0.02, timestep_spacing=case["spacing"],
                   steps_offset=case.get("offset", 0), prediction_type=case.get("prediction", "epsilon"))
    if case["sampler"].startswith("dpmpp"):
        options["algorithm_type"] = "sde-dpmsolver++" if case["sampler"].endswith("sde") else "dpmsolver++"
    if case["sampler"] == "unipc":
        options |= dict(solver_order=case["order"], solver_type=case["variant"])
    if case.get("until", -1) == 0:
        options["final_sigmas_type"] = "sigma_min"
        if case["sampler"].startswith("dpmpp"):
            options["lower_order_final"] = False
    if "quantile" in case:
        options |= dict(thresholding=True, dynamic_thresholding_ratio=case["quantile"], sample_max_value=case["max"])
    if "clip" in case:
        options |= dict(clip_sample=True, clip_sample_range=case["clip"])
    scheduler = KINDS[case["sampler"]](**options)
    scheduler.set_timesteps(case["N"])
    set_exact_levels(scheduler, case)
    return scheduler


def exact_sigma(abars, step):
    return ((1 - abars[step]) / abars[step]).sqrt()


def set_exact_levels(scheduler, case):
    abars = fixed.exact_tables(case["T"])
    timesteps = scheduler.timesteps.tolist()
    assert all(step == int(step) for step in timesteps), case
    levels = [exact_sigma(abars, int(step)) for step in timesteps]
    last = exact_sigma(abars, 0) if case.get("until", -1) == 0 else torch.tensor(0.0, dtype=torch.float64)
    exact = torch.stack([*levels, last])
    assert np.allclose(exact.numpy(), scheduler.sigmas.numpy(), rtol=2e-2), case
    scheduler.sigmas = exact


def trajectory(case):
    scaled = case["sampler"] in ("euler", "heun")
    evaluations = 2 if case["sampler"] == "heun" else 1
    scheduler = make_scheduler(case)
    abars = fixed.exact_tables(case["T"])
    shape = (*fixed.SHAPE, 1) if "quantile" in case else fixed.SHAPE
    x = fixed.noise(fixed.START_STEP, shape=shape)
    if scaled:
        x = x * (scheduler.sigmas[0] ** 2 + 1).sqrt()
    states = []
    for index, timestep in enumerate(scheduler.timesteps):
        step = int(timestep)
        z = fixed.noise(step, shape=shape)
        scheduling_euler_discrete.randn_tensor = lambda *_args, **_kwargs: z
        entered = scheduler.scale_model_input(x, timestep)
        output = fixed.denoise(case.get("prediction", "epsilon"), entered, step, abars[step].item(), case["T"])
        extra = {"s_churn": case["churn"]} if "churn" in case else {}
        extra |= {"variance_noise": z} if case["sampler"] == "dpmpp-2m-sde" else {}
        x = scheduler.step(output, timestep, x, **extra).prev_sample
        if evaluations == 1 or index % 2 == 0 and index == len(scheduler.timesteps) - 1 or index % 2 == 1:
            reached = scheduler.sigmas[index + 1] if scaled else 0
            states.append(fixed.rounded(x / (reached**2 + 1) ** 0.5))
    steps = [int(step) for step in scheduler.timesteps]
    steps = sorted(set(steps), reverse=True)
    assert len(steps) == len(states) == case["N"], (case, len(steps), len(states))
    stride = 1 if len(states) <= 10 or whole(case) else 5
    kept = sorted({*range(0, len(states), stride), len(states) - 1})
    return {**case, "steps": steps, "kept": kept, "states": [states[i] for i in kept]}


def whole(case):
    return "prediction" not in case and case["spacing"] == "trailing"


def cases():
    methods = [dict(sampler=name) for name in ("euler", "heun", "dpmpp-2m", "dpmpp-2m-sde")]
    methods += [dict(sampler="unipc", order=order, variant=variant) for order in (1, 2, 3) for variant in ("bh1", "bh2")]
    for method in methods:
        for count in (10, 50):
            for spacing in ("trailing", "leading"):
                yield dict(**method, T=1000, N=count, spacing=spacing)
        yield dict(**method, T=1000, N=10, spacing="linspace")
        if method.get("variant") != "bh1":
            for prediction in ("sample", "v_prediction"):
                for count in (10, 50):
                    yield dict(**method, prediction=prediction, T=1000, N=count, spacing="trailing")
    for method in methods[2:]:
        for count in (10, 50):
            yield dict(**method, until=0, T=1000, N=count, spacing="trailing")
    for method in (*methods[2:4], methods[-1]):
        yield dict(**method, quantile=0.9, max=3, T=1000, N=10, spacing="trailing")
    yield dict(sampler="heun", clip=1, T=1000, N=10, spacing="trailing")
    yield dict(sampler="dpmpp-2m", T=1000, N=10, spacing="leading", offset=1)
    yield dict(sampler="euler", churn=3, T=1000, N=10, spacing="trailing")


if __name__ == "__main__":
    fixed.write("diffusers-solvers.json", {"trajectories": [trajectory(case) for case in cases()]})
