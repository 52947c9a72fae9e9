"""Writes pipelines/: whole pipelines of diffusers with a small random UNet2DModel, each run from recorded noise.

Made with: diffusers 0.42.1, torch 2.15.0, numpy 2.4.6, Python 3.11.7.
Command:   python3 test/golden/make-pipelines.py   (pip install diffusers==0.42.1 torch==2.15.0)

  pipelines/ddpm/   a pipeline's folder as DDPMPipeline.save_pretrained writes it; all runs use its network
  pipelines/noise.safetensors   `start` [2, 3, 8, 8], and `steps` [11, 2, 3, 8, 8], noise of the steps in their order
  pipelines/runs.json   each run: pipeline, scheduler_config.json as its class writes it, the arguments, the steps, the end

DDPMPipeline does not scale the network's input, which Euler and Heun need, and gives UniPC an argument that it does not take:
those runs are the loop of other pipelines.
"""

import json
import pathlib
import tempfile

import torch
from diffusers import (DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, DPMSolverMultistepScheduler,
                       EulerDiscreteScheduler, HeunDiscreteScheduler, UNet2DModel, UniPCMultistepScheduler)
from diffusers.pipelines.ddim import pipeline_ddim
from diffusers.pipelines.ddpm import pipeline_ddpm
from diffusers.schedulers import scheduling_ddim, scheduling_ddpm, scheduling_dpmsolver_multistep
from safetensors.torch import save_file

STEPS = 10
FOLDER = pathlib.Path(__file__).with_name("pipelines")
torch.manual_seed(7)
START = torch.randn(2, 3, 8, 8)
NOISE = torch.randn(STEPS + 1, 2, 3, 8, 8)


def make_network():
    network = UNet2DModel(sample_size=8, block_out_channels=(8, 16), norm_num_groups=4, layers_per_block=1,
                          down_block_types=("DownBlock2D", "AttnDownBlock2D"), attention_head_dim=8,
                          up_block_types=("AttnUpBlock2D", "UpBlock2D"))
    for parameter in network.parameters():  # random norms and biases too, so that each one matters
        parameter.data = parameter.data + 0.05 * torch.randn_like(parameter)
    return network.eval()


def replay():
    """Hands out the recorded noise in place of random numbers."""
    queue = iter([START, *NOISE])
    draw = lambda *_args, **_kwargs: next(queue)
    for module in (pipeline_ddim, pipeline_ddpm, scheduling_ddim, scheduling_ddpm, scheduling_dpmsolver_multistep):
        module.randn_tensor = draw
    return draw


def loop(network, scheduler):
    scheduler.set_timesteps(STEPS)
    image = replay()() * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        with torch.no_grad():
            output = network(scheduler.scale_model_input(image, t), t).sample
        image = scheduler.step(output, t, image).prev_sample
    return image


def run(network, pipeline, scheduler, **arguments):
    ends = []
    if isinstance(scheduler, (EulerDiscreteScheduler, HeunDiscreteScheduler, UniPCMultistepScheduler)):
        ends.append(loop(network, scheduler))
    else:
        pipe = pipeline(network, scheduler)
        pipe.set_progress_bar_config(disable=True)
        step = pipe.scheduler.step
        def recorded(*args, **kwargs):
            kwargs = {key: value for key, value in kwargs.items() if key == "generator" or value is not None}
            result = step(*args, **kwargs)
            ends.append(result.prev_sample)
            return result
        pipe.scheduler.step = recorded
        replay()
        pipe(batch_size=2, num_inference_steps=STEPS, output_type="np", **arguments)
        scheduler = pipe.scheduler
    with tempfile.TemporaryDirectory() as folder:
        scheduler.save_pretrained(folder)
        text = (pathlib.Path(folder) / "scheduler_config.json").read_text()
    end = [float(f"{value:.7g}") for value in ends[-1].flatten().tolist()]
    return {"pipeline": pipeline.__name__, "file": text, "arguments": arguments,
            "steps": [int(t) for t in scheduler.timesteps], "end": end}


def runs(network):
    for clips in (True, False):
        for variance in ("fixed_small", "fixed_large"):
            yield run(network, DDPMPipeline, DDPMScheduler(clip_sample=clips, variance_type=variance))
        yield run(network, DDIMPipeline, DDIMScheduler(clip_sample=clips))
        yield run(network, DDIMPipeline, DDIMScheduler(clip_sample=clips), eta=0.7)
    yield run(network, DDIMPipeline, DDIMScheduler(), use_clipped_model_output=True)
    yield run(network, DDPMPipeline, DPMSolverMultistepScheduler())
    yield run(network, DDPMPipeline, DPMSolverMultistepScheduler(algorithm_type="sde-dpmsolver++"))
    yield run(network, DDPMPipeline, EulerDiscreteScheduler())
    yield run(network, DDPMPipeline, HeunDiscreteScheduler())
    yield run(network, DDPMPipeline, UniPCMultistepScheduler())


if __name__ == "__main__":
    made = make_network()
    DDPMPipeline(made, DDPMScheduler(variance_type="fixed_large")).save_pretrained(FOLDER / "ddpm")
    save_file({"start": START, "steps": NOISE}, FOLDER / "noise.safetensors")
    (FOLDER / "runs.json").write_text(json.dumps({"runs": list(runs(made))}, separators=(",", ":")) + "\n")
