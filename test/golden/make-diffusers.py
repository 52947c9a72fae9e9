"""Writes diffusers.json: what DDPM and DDIM of diffusers do with a fixed denoiser and fixed noise.

Made with: diffusers 0.42.1, torch 2.15.0, numpy 2.4.6, Python 3.11.7.
Command:   python3 test/golden/make-diffusers.py   (pip install diffusers==0.42.1 torch==2.15.0)

The tables of each scheduler are recomputed in float64 and the state is float64, so that what is compared is the
equations, not float32 rounding. Two entries ("float32" true) keep the library's own float32 tables. The denoiser and the
noise are in fixed_denoiser.py. A state that is not finite is null.
"""

import torch
from diffusers import DDIMScheduler, DDPMScheduler
from diffusers.schedulers import scheduling_ddpm

import fixed_denoiser as fixed

VARIANCE = {"small": "fixed_small", "large": "fixed_large", "small_log": "fixed_small_log", "large_log": "fixed_large_log",
            "range": "learned_range", "free": "learned", "free_as_log": "learned"}


def make_scheduler(case):
    options = dict(num_train_timesteps=case["T"], timestep_spacing=case["spacing"], clip_sample=False,
                   steps_offset=case.get("offset", 0), prediction_type=case.get("prediction", "epsilon"))
    if "clip" in case:
        options |= dict(clip_sample=True, clip_sample_range=case["clip"])
    if "quantile" in case:
        options |= dict(thresholding=True, dynamic_thresholding_ratio=case["quantile"])
        options |= {"sample_max_value": case["max"]} if "max" in case else {}
    if case["sampler"] == "ddpm":
        scheduler = DDPMScheduler(**options, variance_type=VARIANCE[case["variance"]])
    else:
        scheduler = DDIMScheduler(**options)
    if not case["float32"]:
        scheduler.betas = fixed.exact_betas(case["T"])
        scheduler.alphas = 1 - scheduler.betas
        scheduler.alphas_cumprod = torch.cumprod(scheduler.alphas, dim=0)
        scheduler.one = scheduler.final_alpha_cumprod = torch.tensor(1.0, dtype=torch.float64)
    scheduler.set_timesteps(case["N"])
    return scheduler


def output_of(case, x, step, abar):
    output = fixed.denoise(case.get("prediction", "epsilon"), x, step, abar, case["T"])
    wave = fixed.variance_wave(x, step, case["T"])
    extra = {"range": wave, "free": torch.exp(0.5 * wave - 4), "free_as_log": 0.5 * wave - 4}.get(case.get("variance"))
    return output if extra is None else torch.cat([output, extra], dim=1)


def trajectory(case):
    dtype = torch.float32 if case["float32"] else torch.float64
    shape = (*fixed.SHAPE, 1) if "quantile" in case else fixed.SHAPE  # thresholding fails for [count, values]
    scheduler = make_scheduler(case)
    abars = fixed.exact_tables(case["T"])
    x = fixed.noise(fixed.START_STEP, dtype, shape)
    states = []
    for step in scheduler.timesteps.tolist():
        output = output_of(case, x, step, abars[step].item()).to(dtype)
        z = fixed.noise(step, dtype, shape)
        if case["sampler"] == "ddpm":
            scheduling_ddpm.randn_tensor = lambda *_args, **_kwargs: z
            x = scheduler.step(output, step, x).prev_sample
        else:
            rederived = case.get("eps") == "rederived"
            x = scheduler.step(output, step, x, eta=case["eta"], variance_noise=z,
                               use_clipped_model_output=rederived).prev_sample
        states.append(fixed.rounded(x))
    whole = len(states) <= 10 or ("prediction" not in case and len(states) <= 50)
    stride = 1 if whole else 100 if len(states) > 100 else 5
    kept = sorted({*range(0, len(states), stride), len(states) - 1})
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
    yield from more_of_ddpm()
    yield from more_of_ddim()
    yield from limits()


def more_of_ddpm():
    for prediction in ("epsilon", "sample", "v_prediction"):
        for variance in ("small", "large", "small_log", "range"):
            if prediction == "epsilon" and variance in ("small", "large"):
                continue
            for count in (10, 50):
                yield dict(sampler="ddpm", variance=variance, prediction=prediction, T=1000, N=count, spacing="leading",
                           float32=False)
        for count in (10, 50):
            yield dict(sampler="ddpm", variance="free", prediction=prediction, T=count, N=count, spacing="leading",
                       float32=False)
    yield dict(sampler="ddpm", variance="large", T=1000, N=10, spacing="linspace", float32=False)
    yield dict(sampler="ddpm", variance="large", T=1000, N=10, spacing="leading", offset=1, float32=False)
    yield dict(sampler="ddpm", variance="range", T=1000, N=10, spacing="trailing", float32=False)
    for variance in ("large_log", "free_as_log"):
        yield dict(sampler="ddpm", variance=variance, T=10, N=10, spacing="leading", float32=False)


def more_of_ddim():
    for prediction in ("sample", "v_prediction"):
        for eta in (0, 0.5, 1):
            for count in (10, 50):
                for spacing in ("leading", "trailing"):
                    yield dict(sampler="ddim", eta=eta, prediction=prediction, T=1000, N=count, spacing=spacing,
                               float32=False)
    yield dict(sampler="ddim", eta=0, T=1000, N=10, spacing="leading", offset=1, float32=False)


def limits():
    for eps in ("kept", "rederived"):
        for eta in (0, 1):
            for count in (10, 50):
                yield dict(sampler="ddim", eta=eta, clip=1, eps=eps, T=1000, N=count, spacing="trailing", float32=False)
        yield dict(sampler="ddim", eta=0, quantile=0.9, max=3, eps=eps, T=1000, N=10, spacing="trailing", float32=False)
    yield dict(sampler="ddim", eta=0, quantile=0.9, eps="kept", T=1000, N=10, spacing="trailing", float32=False)
    yield dict(sampler="ddpm", variance="small", clip=1, T=1000, N=10, spacing="leading", float32=False)
    yield dict(sampler="ddpm", variance="small", quantile=0.9, max=3, T=1000, N=10, spacing="leading", float32=False)


def spacings():
    plans = [(1000, count) for count in (7, 33, 48, 61, 64, 400)] + [(100, 8), (50, 20), (12, 8), (10, 10)]
    for spacing in ("leading", "trailing", "linspace"):
        for timesteps, count in plans:
            scheduler = DDIMScheduler(num_train_timesteps=timesteps, timestep_spacing=spacing)
            scheduler.set_timesteps(count)
            yield {"spacing": spacing, "T": timesteps, "N": count, "steps": scheduler.timesteps.tolist()}


if __name__ == "__main__":
    fixed.write("diffusers.json", {"trajectories": [trajectory(case) for case in cases()], "spacings": list(spacings())})
