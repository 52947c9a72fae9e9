"""Writes torch-images.json: what PyTorch gives for convolutions, normalisation, resampling and attention, with their gradients.

Made with: torch 2.15.0, Python 3.11.7.
Command:   python3 test/golden/make-torch-images.py   (pip install torch==2.15.0)

Everything is float64. Inputs are drawn once, rounded to float32 so that a float32 provider receives the same numbers, and stored
beside the results; so is the gradient that flows into the result.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(21)


def draw(*shape):
    return torch.randn(*shape).to(torch.float64)


def tensor(value):
    return {"shape": list(value.shape), "data": value.detach().flatten().tolist()}


def case(op, options, function, *shapes):
    inputs = [draw(*shape).requires_grad_(True) for shape in shapes]
    result = function(*inputs)
    dy = draw(*result.shape)
    gradients = torch.autograd.grad(result, inputs, dy)
    return {
        "op": op,
        "options": options,
        "inputs": [tensor(x) for x in inputs],
        "result": tensor(result),
        "dy": tensor(dy),
        "gradients": [tensor(g) for g in gradients],
    }


def conv(x, w, bias, stride, padding, groups):
    top, left, bottom, right = padding
    y = lambda x, w, b=None: F.conv2d(F.pad(x, (left, right, top, bottom)), w, b, stride=stride, groups=groups)
    shapes = [x, w] + ([[w[0]]] if bias else [])
    return case("conv2d", {"stride": stride, "padding": padding, "groups": groups}, y, *shapes)


def group_norm(x, groups, epsilon):
    options = {"groups": groups, "epsilon": epsilon}
    return case("groupNorm", options, lambda x, w, b: F.group_norm(x, groups, w, b, epsilon), x, [x[1]], [x[1]])


CASES = [
    conv([2, 3, 5, 7], [4, 3, 3, 3], True, 1, [1, 1, 1, 1], 1),
    conv([2, 3, 5, 7], [4, 3, 3, 3], True, 2, [1, 1, 1, 1], 1),
    conv([1, 2, 6, 5], [3, 2, 3, 3], True, 2, [0, 0, 1, 1], 1),
    conv([2, 4, 5, 5], [6, 2, 3, 3], False, 1, [1, 0, 2, 1], 2),
    conv([1, 6, 5, 4], [6, 1, 3, 3], True, 2, [1, 1, 1, 1], 6),
    conv([2, 5, 3, 3], [2, 5, 1, 1], True, 1, [0, 0, 0, 0], 1),
    conv([1, 2, 7, 8], [2, 2, 2, 3], False, 3, [0, 1, 0, 2], 1),
    group_norm([2, 6, 3, 5], 3, 1e-5),
    group_norm([1, 4, 2, 2], 1, 1e-6),
    case(
        "layerNorm", {"epsilon": 1e-5}, lambda x, w, b: F.layer_norm(x, [5], w, b, 1e-5), [2, 3, 5], [5], [5]
    ),
    case("upsampleNearest", {"factor": 2}, lambda x: F.interpolate(x, scale_factor=2.0, mode="nearest"), [2, 3, 3, 2]),
    case("averagePool", {"size": 2}, lambda x: F.avg_pool2d(x, 2), [2, 3, 4, 6]),
    case(
        "attention",
        {},
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v),
        [2, 2, 3, 4],
        [2, 2, 5, 4],
        [2, 2, 5, 3],
    ),
]

path = pathlib.Path(__file__).with_name("torch-images.json")
path.write_text(json.dumps({"torch": torch.__version__, "cases": CASES}) + "\n")
