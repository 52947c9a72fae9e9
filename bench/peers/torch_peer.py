"""PyTorch as a contender: one JSON object a line on stdin, one answer a line on stdout (bench/protocol.ts).

    torch_peer.py                        answers requests until stdin ends
    torch_peer.py --cold PROBLEM CSV     loads the weights, samples 100 points by DDIM, writes them, and ends
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

DTYPES = {"float32": torch.float32, "float64": torch.float64, "int32": torch.int32}


def read_arrays(problem):
    with open(problem["file"], "rb") as file:
        data = bytearray(file.read())
    arrays = {}
    for name, place in problem["arrays"].items():
        count = 1
        for extent in place["shape"]:
            count *= extent
        flat = torch.frombuffer(data, dtype=DTYPES[place["dtype"]], count=count, offset=place["offset"])
        arrays[name] = flat.clone().reshape(place["shape"])
    return arrays


class Mlp(nn.Module):
    def __init__(self, problem, table):
        super().__init__()
        width, dimensions = problem["width"], problem["dimensions"]
        self.register_buffer("table", table)
        self.input = nn.Linear(dimensions + problem["timeFeatures"], width)
        self.blocks = nn.ModuleList([nn.Linear(width, width) for _ in range(problem["depth"])])
        self.output = nn.Linear(width, dimensions)

    def load_flat(self, flat, parameters):
        layers = {"input": self.input, "output": self.output}
        layers.update({f"block{i}": layer for i, layer in enumerate(self.blocks)})
        offset = 0
        with torch.no_grad():
            for parameter in parameters:
                layer, kind = parameter["name"].split(".")
                count = torch.Size(parameter["shape"]).numel()
                value = flat[offset : offset + count].reshape(parameter["shape"])
                getattr(layers[layer], kind).copy_(value.t() if kind == "weight" else value)
                offset += count

    def forward(self, x, embedding):
        h = self.input(torch.cat([x, embedding], 1))
        for block in self.blocks:
            h = h + F.silu(block(h))
        return self.output(h)


def make_model(problem, arrays):
    model = Mlp(problem, arrays["timeTable"])
    model.load_flat(arrays["weights"], problem["parameters"])
    return model


def total_norm(tensors):
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).norm().item()


class Trainer:
    """One step: noising, loss, backward, clipping, AdamW, EMA.

    `eager` takes PyTorch's defaults; `eager-fused` the fused AdamW and the multi-tensor clipping; `compile` compiles the loss and
    keeps the fused AdamW; `compile-all` also compiles clipping, AdamW and EMA.
    """

    def __init__(self, problem, arrays, variant):
        self.problem = problem
        hyper = problem["hyper"]
        self.model = make_model(problem, arrays)
        self.parameters = list(self.model.parameters())
        self.average = [p.detach().clone() for p in self.parameters]
        how = {"eager": {}, "compile-all": {"foreach": True}}.get(variant, {"fused": True})
        self.optimiser = torch.optim.AdamW(
            self.parameters,
            lr=hyper["learningRate"],
            betas=(hyper["beta1"], hyper["beta2"]),
            eps=hyper["epsilon"],
            weight_decay=hyper["weightDecay"],
            **how,
        )
        self.foreach = None if variant == "eager" else True
        bar = arrays["alphasCumprod"]
        self.scales = torch.stack([bar.sqrt(), (1 - bar).sqrt()], 1).float()
        batches = zip(arrays["x0"], arrays["eps"], arrays["steps"].long())
        self.batches = [tuple(part.clone() for part in batch) for batch in batches]
        compiled = variant.startswith("compile")
        self.loss = torch.compile(self.plain_loss) if compiled else self.plain_loss
        self.update = torch.compile(self.plain_update) if variant == "compile-all" else self.plain_update
        self.done = 0

    def plain_loss(self, x0, eps, steps):
        signal, noise = self.scales[steps].split(1, 1)
        return F.mse_loss(self.model(signal * x0 + noise * eps, self.model.table[steps]), eps)

    def plain_update(self):
        hyper = self.problem["hyper"]
        nn.utils.clip_grad_norm_(self.parameters, hyper["clipNorm"], foreach=self.foreach)
        self.optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.parameters, 1 - hyper["emaDecay"])

    def step(self):
        batch = self.batches[self.done % len(self.batches)]
        self.done += 1
        loss = self.loss(*batch)
        loss.backward()
        self.update()
        self.optimiser.zero_grad()
        return loss.item()

    def check(self):
        losses = [self.step() for _ in range(self.problem["checkSteps"])]
        means = [self.optimiser.state[p]["exp_avg"] for p in self.parameters]
        return losses + [total_norm(self.parameters), total_norm(means)]


class Sampler:
    """Ancestral sampling, one step a call, from x_T again after the last."""

    def __init__(self, problem, arrays, variant):
        self.problem = problem
        self.arrays = arrays
        self.model = make_model(problem, arrays).eval()
        self.predict = torch.compile(self.model) if variant.startswith("compile") else self.model
        betas, bar = arrays["betas"], arrays["alphasCumprod"]
        self.eps_scale = (betas / (1 - bar).sqrt()).tolist()
        self.mean_scale = (1 - betas).rsqrt().tolist()
        self.sigma = betas.sqrt().tolist()
        self.step_left = 0
        self.x = None

    def move(self, x, step, z):
        embedding = self.model.table[step].expand(x.shape[0], -1)
        mean = (x - self.eps_scale[step] * self.predict(x, embedding)) * self.mean_scale[step]
        return mean + self.sigma[step] * z if step > 0 else mean

    @torch.inference_mode()
    def step(self):
        if self.step_left == 0:
            self.x = torch.randn(self.problem["batchSize"], self.problem["dimensions"])
            self.step_left = self.problem["timesteps"]
        self.step_left -= 1
        self.x = self.move(self.x, self.step_left, torch.randn_like(self.x))

    @torch.inference_mode()
    def check(self):
        x = self.arrays["start"].clone()
        for i, z in enumerate(self.arrays["z"]):
            x = self.move(x, self.problem["timesteps"] - 1 - i, z)
        return x.flatten()[:512].tolist()


def setup(request):
    problem, threads = request["problem"], request["threads"]
    if threads is not None:
        torch.set_num_threads(threads)
    kind = Trainer if problem["kind"] == "train" else Sampler
    versions = {"torch": torch.__version__, "python": sys.version.split()[0]}
    ready = {"versions": versions, "threads": torch.get_num_threads()}
    return kind(problem, read_arrays(problem), request["variant"]), ready


def timed(runner, steps):
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        runner.step()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def serve():
    out, sys.stdout = sys.stdout, sys.stderr
    runner = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["cmd"] == "setup":
                runner, reply = setup(request)
            elif request["cmd"] == "check":
                reply = {"values": runner.check()}
            else:
                reply = {"times": timed(runner, request["steps"])}
        except Exception as error:  # noqa: BLE001 - any failure is reported to the driver
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(reply), file=out, flush=True)


@torch.inference_mode()
def cold(problem_file, csv_file):
    with open(problem_file) as file:
        problem = json.load(file)
    arrays = read_arrays(problem)
    model = make_model(problem, arrays).eval()
    bar = arrays["alphasCumprod"].tolist()
    steps = problem["ddimSteps"]
    x = torch.randn(100, problem["dimensions"])
    for step, previous in zip(steps, [*steps[1:], -1]):
        eps = model(x, model.table[step].expand(100, -1))
        x0 = (x - (1 - bar[step]) ** 0.5 * eps) / bar[step] ** 0.5
        signal = bar[previous] if previous >= 0 else 1.0
        x = signal**0.5 * x0 + (1 - signal) ** 0.5 * eps
    with open(csv_file, "w") as file:
        file.writelines(",".join(f"{value:.9g}" for value in row) + "\n" for row in x.tolist())


if __name__ == "__main__":
    cold(*sys.argv[2:4]) if sys.argv[1:2] == ["--cold"] else serve()
