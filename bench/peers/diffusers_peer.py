"""diffusers' UNet2DModel on PyTorch as a contender: one JSON object a line on stdin, one answer a line on stdout (bench/unet-problem.ts)."""

import json
import resource
import sys
import time

import diffusers
import torch
import torch.nn.functional as F
from diffusers import UNet2DModel

DTYPES = {"float32": torch.float32, "int32": torch.int32}


def read_arrays(problem):
    with open(problem["file"], "rb") as file:
        data = bytearray(file.read())
    arrays = {}
    for name, place in problem["arrays"].items():
        (count,) = place["shape"]
        arrays[name] = torch.frombuffer(data, dtype=DTYPES[place["dtype"]], count=count, offset=place["offset"])
    return arrays


def make_model(problem, flat):
    model = UNet2DModel(**problem["config"])
    state, offset = {}, 0
    for parameter in problem["parameters"]:
        count = torch.Size(parameter["shape"]).numel()
        state[parameter["name"]] = flat[offset : offset + count].reshape(parameter["shape"])
        offset += count
    model.load_state_dict(state)
    return model


class Contender:
    def __init__(self, problem):
        arrays = read_arrays(problem)
        self.model = make_model(problem, arrays["weights"])
        size = self.model.config.sample_size
        shape = [problem["batchSize"], self.model.config.in_channels, size, size]
        self.images = arrays["images"].clone().reshape(shape)
        self.noise = arrays["noise"].clone().reshape(shape)
        self.steps = arrays["steps"].long()


class Sampler(Contender):
    @torch.inference_mode()
    def step(self):
        return self.model(self.images, self.steps[:1]).sample

    def check(self):
        return self.step().flatten()[:2000].tolist()


class Trainer(Contender):
    def step(self):
        self.model.zero_grad()
        loss = F.mse_loss(self.model(self.images, self.steps).sample, self.noise)
        loss.backward()
        return loss.item()

    def check(self):
        loss = self.step()
        norms = torch.stack([parameter.grad.norm() for parameter in self.model.parameters()])
        return [loss, norms.norm().item()]


def setup(request):
    problem, threads = request["problem"], request["threads"]
    if threads is not None:
        torch.set_num_threads(threads)
    torch.manual_seed(0)
    contender = (Trainer if problem["kind"] == "train" else Sampler)(problem)
    versions = {
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
        "python": sys.version.split()[0],
    }
    return contender, {"versions": versions, "threads": torch.get_num_threads()}


def timed(contender, steps):
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        contender.step()
        times.append((time.perf_counter() - start) * 1e3)
    return {"times": times, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def serve():
    out, sys.stdout = sys.stdout, sys.stderr
    contender = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["cmd"] == "setup":
                contender, reply = setup(request)
            elif request["cmd"] == "check":
                reply = {"values": contender.check()}
            else:
                reply = timed(contender, request["steps"])
        except Exception as error:  # noqa: BLE001 - any failure is reported to the driver
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(reply), file=out, flush=True)


if __name__ == "__main__":
    serve()
