"""Writes torch.json: what PyTorch gives for AdamW with clipping, the time embedding, and an MLP trained for three steps.

Made with: torch 2.15.0, diffusers 0.42.1, Python 3.11.7.
Command:   python3 test/golden/make-torch.py   (pip install torch==2.15.0 diffusers==0.42.1)

Everything is float64, apart from the time embedding of diffusers, which is float32 by its own choice. Inputs are drawn once,
rounded to float32 so that a float32 provider receives the same numbers, and stored beside the results.
"""

import json
import math
import pathlib

import torch
from diffusers.models.embeddings import get_timestep_embedding

torch.manual_seed(20)
F64 = torch.float64


def draw(*shape):
    return torch.randn(*shape).to(F64)


def optimiser_case(weight_decay, clip, count=7, steps=20):
    weights = draw(count).requires_grad_(True)
    start = weights.detach().clone()
    optimiser = torch.optim.AdamW([weights], lr=1.0, betas=(0.9, 0.999), eps=1e-8, weight_decay=weight_decay)
    # Norms from 0.02 to 20, so that clipping at 1 acts on some steps and not on others.
    gradients = [(draw(count) * 10 ** (i % 4 - 2)).float().to(F64) for i in range(steps)]
    rates = [1e-2 * min(1, (i + 1) / 5) for i in range(steps)]
    history = []
    for gradient, rate in zip(gradients, rates):
        optimiser.param_groups[0]["lr"] = rate
        weights.grad = gradient.clone()
        norm = torch.nn.utils.clip_grad_norm_([weights], clip)
        optimiser.step()
        history.append({"norm": norm.item(), "weights": weights.detach().tolist()})
    return {
        "weightDecay": weight_decay,
        "clipNorm": clip,
        "start": start.tolist(),
        "gradients": [g.tolist() for g in gradients],
        "learningRates": rates,
        "history": history,
    }


def embedding_case(features):
    steps = [0, 1, 2, 3, 10, 57, 100, 500, 999]
    table = get_timestep_embedding(torch.tensor(steps), features, flip_sin_to_cos=False, downscale_freq_shift=1)
    return {"features": features, "steps": steps, "rows": table.tolist()}


CONFIG = {"dimensions": 2, "timesteps": 10, "width": 6, "depth": 2, "timeFeatures": 4}


def shapes():
    width = CONFIG["width"]
    layers = [("input", CONFIG["dimensions"] + CONFIG["timeFeatures"], width)]
    layers += [(f"block{i}", width, width) for i in range(CONFIG["depth"])]
    layers += [("output", width, CONFIG["dimensions"])]
    return [entry for name, i, o in layers for entry in ((f"{name}.weight", (i, o)), (f"{name}.bias", (o,)))]


def embed(steps):
    half = CONFIG["timeFeatures"] // 2
    omega = torch.exp(-math.log(10000) * torch.arange(half, dtype=F64) / (half - 1))
    angle = steps.to(F64)[:, None] * omega
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def predict(weights, xt, steps):
    hidden = torch.cat([xt, embed(steps)], dim=1) @ weights["input.weight"] + weights["input.bias"]
    for i in range(CONFIG["depth"]):
        hidden = hidden + torch.nn.functional.silu(hidden @ weights[f"block{i}.weight"] + weights[f"block{i}.bias"])
    return hidden @ weights["output.weight"] + weights["output.bias"]


def flat(weights):
    return torch.cat([w.detach().flatten() for w in weights.values()]).tolist()


def training_case(batch=5, steps=3, decay=0.999, weight_decay=0.01, clip=0.5, rate=3e-3):
    weights = {n: (draw(*s) / 2).requires_grad_(True) for n, s in shapes()}
    average = {n: w.detach().clone() for n, w in weights.items()}
    abar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, CONFIG["timesteps"], dtype=F64), dim=0)
    optimiser = torch.optim.AdamW(
        weights.values(), lr=rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=weight_decay
    )
    case = {"config": CONFIG, "start": flat(weights), "alphasCumprod": abar.tolist(), "batches": [], "history": []}
    case |= {"learningRate": rate, "weightDecay": weight_decay, "clipNorm": clip, "emaDecay": decay}
    for update in range(1, steps + 1):
        x0, eps, t = draw(batch, 2), draw(batch, 2), torch.randint(CONFIG["timesteps"], (batch,))
        xt = abar[t].sqrt()[:, None] * x0 + (1 - abar[t]).sqrt()[:, None] * eps
        prediction = predict(weights, xt, t)
        loss = torch.nn.functional.mse_loss(prediction, eps)
        optimiser.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(weights.values(), clip)
        optimiser.step()
        keep = min(decay, (1 + update) / (10 + update))
        for n, w in weights.items():
            average[n] = keep * average[n] + (1 - keep) * w.detach()
        case["batches"].append({"x0": x0.flatten().tolist(), "eps": eps.flatten().tolist(), "steps": t.tolist()})
        entry = {"loss": loss.item(), "norm": norm.item(), "weights": flat(weights), "ema": flat(average)}
        case["history"].append(entry | {"prediction": prediction.flatten().tolist(), "xt": xt.flatten().tolist()})
    return case


result = {
    "adamw": [optimiser_case(0.01, 1.0), optimiser_case(0.0, 1.0), optimiser_case(0.1, 1e9)],
    "embeddings": [embedding_case(4), embedding_case(16)],
    "training": training_case(),
}
pathlib.Path(__file__).with_name("torch.json").write_text(json.dumps(result) + "\n")
