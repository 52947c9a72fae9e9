"""Writes scheduler-configs.json: what schedulers of diffusers do that were read from their own scheduler_config.json.

Made with: diffusers 0.42.1, torch 2.15.0, numpy 2.4.6, Python 3.11.7.
Command:   python3 test/golden/make-scheduler-configs.py   (pip install diffusers==0.42.1 torch==2.15.0)

Each case has the file as diffusers wrote it, the timesteps it chose for N steps, and the sample at the end of the run; null
where that is not finite. Tables are the library's own float32. The denoiser and the noise are in fixed_denoiser.py; noise of a
step is that of its timestep.
"""

import pathlib
import tempfile

import torch
from diffusers import (DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler,
                       HeunDiscreteScheduler, UniPCMultistepScheduler)
from diffusers.schedulers import scheduling_ddpm

import fixed_denoiser as fixed

SHAPE = (*fixed.SHAPE, 1)  # thresholding and UniPC fail for [count, values]


def reread(scheduler):
    with tempfile.TemporaryDirectory() as folder:
        scheduler.save_pretrained(folder)
        text = (pathlib.Path(folder) / "scheduler_config.json").read_text()
        return text, type(scheduler).from_pretrained(folder)


def output_of(config, x, step, abar):
    output = fixed.denoise(config.prediction_type, x, step, abar, config.num_train_timesteps)
    if config.get("variance_type") != "learned_range":
        return output
    return torch.cat([output, fixed.variance_wave(x, step, config.num_train_timesteps)], dim=1)


def run(kind, count, arguments=None, **options):
    text, scheduler = reread(kind(**options))
    arguments = arguments or {}
    scheduler.set_timesteps(count)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(0)  # as pipelines do: else a timestep that occurs twice leads past the end
    x = fixed.noise(fixed.START_STEP, torch.float32, SHAPE) * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        step = int(timestep)
        assert step == timestep, (kind, options, timestep)
        z = fixed.noise(step, torch.float32, SHAPE)
        scheduling_ddpm.randn_tensor = lambda *_args, **_kwargs: z
        entered = scheduler.scale_model_input(x, timestep)
        output = output_of(scheduler.config, entered, step, min(1.0, scheduler.alphas_cumprod[step].item()))
        extra = dict(arguments)
        if kind is DDIMScheduler or options.get("algorithm_type") == "sde-dpmsolver++":
            extra["variance_noise"] = z
        x = scheduler.step(output, timestep, x, **extra).prev_sample
    return {"file": text, "N": count, **arguments, "steps": [int(step) for step in scheduler.timesteps],
            "end": fixed.rounded(x)}


def cases():
    spacings = ("leading", "trailing", "linspace")
    for spacing in spacings:
        for count in (10, 30):
            for variance in ("fixed_small", "fixed_small_log", "fixed_large", "learned_range"):
                yield run(DDPMScheduler, count, timestep_spacing=spacing, variance_type=variance)
            yield run(DDIMScheduler, count, dict(eta=0.5), timestep_spacing=spacing)
            yield run(DDIMScheduler, count, timestep_spacing=spacing, clip_sample=False, set_alpha_to_one=False)
    yield from ancestral()
    for spacing in spacings:
        for count in (10, 20, 28):
            whole = spacing != "linspace" or count != 20
            if whole:
                yield run(EulerDiscreteScheduler, count, timestep_spacing=spacing)
                yield run(HeunDiscreteScheduler, count, timestep_spacing=spacing)
            for order in (1, 2):
                yield run(DPMSolverMultistepScheduler, count, timestep_spacing=spacing, solver_order=order)
                yield run(DPMSolverMultistepScheduler, count, timestep_spacing=spacing, solver_order=order,
                          algorithm_type="sde-dpmsolver++")
            for order in (1, 2, 3):
                yield run(UniPCMultistepScheduler, count, timestep_spacing=spacing, solver_order=order)
    yield from solvers()
    yield from curves()


def ancestral():
    for offset in (1, 150):
        yield run(DDPMScheduler, 10 if offset == 1 else 5, steps_offset=offset, variance_type="fixed_large")
        yield run(DDIMScheduler, 10 if offset == 1 else 5, steps_offset=offset)
    for prediction in ("epsilon", "sample", "v_prediction"):
        yield run(DDPMScheduler, 10, prediction_type=prediction, clip_sample_range=0.7)
        yield run(DDIMScheduler, 10, prediction_type=prediction, clip_sample_range=0.7, set_alpha_to_one=False)
        yield run(DDIMScheduler, 10, dict(use_clipped_model_output=True, eta=1.0), prediction_type=prediction)
    for kind in (DDPMScheduler, DDIMScheduler):
        yield run(kind, 10, thresholding=True, dynamic_thresholding_ratio=0.9, sample_max_value=3.0)
        yield run(kind, 10, thresholding=True)
        yield run(kind, 10, beta_schedule="squaredcos_cap_v2")
        yield run(kind, 10, beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
        yield run(kind, 10, num_train_timesteps=40, trained_betas=[0.001 + 0.004 * i for i in range(40)])
        yield run(kind, 10, rescale_betas_zero_snr=True, prediction_type="v_prediction", timestep_spacing="trailing")
        yield run(kind, 1, timestep_spacing="linspace")
    yield run(DDPMScheduler, 10, beta_schedule="sigmoid")
    yield run(DDPMScheduler, 1000)


def solvers():
    for kind in (DPMSolverMultistepScheduler, UniPCMultistepScheduler):
        yield run(kind, 10, thresholding=True, dynamic_thresholding_ratio=0.9, sample_max_value=3.0)
        for prediction in ("sample", "v_prediction"):
            yield run(kind, 10, prediction_type=prediction)
    yield run(HeunDiscreteScheduler, 10, clip_sample=True, clip_sample_range=0.7)
    yield run(EulerDiscreteScheduler, 10, num_train_timesteps=50, timestep_spacing="trailing")
    yield run(HeunDiscreteScheduler, 10, num_train_timesteps=50, timestep_spacing="trailing")
    kinds = (DPMSolverMultistepScheduler, UniPCMultistepScheduler, EulerDiscreteScheduler)
    for kind in kinds:
        yield run(kind, 10, rescale_betas_zero_snr=True, prediction_type="v_prediction", timestep_spacing="trailing")
        for count in (10, 20):
            yield run(kind, count, final_sigmas_type="sigma_min", timestep_spacing="trailing")
    yield run(EulerDiscreteScheduler, 10, final_sigmas_type="sigma_min", timestep_spacing="leading")
    yield run(DPMSolverMultistepScheduler, 20, final_sigmas_type="sigma_min", euler_at_final=True,
              timestep_spacing="trailing")
    yield run(DPMSolverMultistepScheduler, 10, final_sigmas_type="sigma_min", lower_order_final=False,
              timestep_spacing="trailing")
    yield run(UniPCMultistepScheduler, 10, final_sigmas_type="sigma_min", lower_order_final=False,
              timestep_spacing="trailing")
    yield run(UniPCMultistepScheduler, 10, final_sigmas_type="sigma_min", solver_type="bh1",
              timestep_spacing="trailing")
    for spacing in ("leading", "trailing", "linspace"):
        yield run(DPMSolverMultistepScheduler, 10, beta_schedule="squaredcos_cap_v2", lambda_min_clipped=-5.1,
                  timestep_spacing=spacing)


def curves():
    for count in (10, 20):
        for curve in ("use_karras_sigmas", "use_lu_lambdas"):
            yield run(DPMSolverMultistepScheduler, count, **{curve: True})
        for schedule in ("linear", "squaredcos_cap_v2"):
            yield run(UniPCMultistepScheduler, count, use_karras_sigmas=True, beta_schedule=schedule)
    yield run(DPMSolverMultistepScheduler, 10, use_karras_sigmas=True, algorithm_type="sde-dpmsolver++")
    yield run(DPMSolverMultistepScheduler, 10, use_karras_sigmas=True, final_sigmas_type="sigma_min")
    yield run(UniPCMultistepScheduler, 10, use_karras_sigmas=True, sigma_min=0.1, sigma_max=50.0)


if __name__ == "__main__":
    fixed.write("scheduler-configs.json", {"runs": list(cases())})
