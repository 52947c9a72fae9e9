"""Writes feature-nets.json: small ONNX models, as base64, of the kinds that a user may give as feature net or by mistake.

Made with: onnx 1.23.2, numpy 2.4.6, Python 3.11.7.
Command:   python3 test/golden/make-feature-nets.py   (pip install onnx==1.23.2 numpy==2.4.6)
"""

import base64
import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def model(inputs, outputs, nodes, constants=()):
    graph = helper.make_graph(nodes, "net", inputs, outputs, [numpy_helper.from_array(a, n) for n, a in constants])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(made)
    return base64.b64encode(made.SerializeToString()).decode()


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, **attributes)


mean = [node("GlobalAveragePool", ["image"], ["mean"])]
weights = np.arange(8 * 3, dtype=np.float32).reshape(8, 3) / 10

models = {
    # Any number of colour images of any size: the mean of each channel, and twice it under another name.
    "open": model(
        [value("image", ["N", 3, "H", "W"])],
        [value("mean", ["N", 3, 1, 1]), value("twice", ["N", 3, 1, 1])],
        [*mean, node("Add", ["mean", "mean"], ["twice"])],
    ),
    # Four grey images of 2 × 4 pixels: three weighted sums of the pixels.
    "fixed": model(
        [value("image", [4, 1, 2, 4])],
        [value("sums", [4, 3])],
        [node("Flatten", ["image"], ["flat"]), node("MatMul", ["flat", "weights"], ["sums"])],
        [("weights", weights)],
    ),
    "two inputs": model(
        [value("image", ["N", 3, 8, 8]), value("other", [1])],
        [value("sum", ["N", 3, 8, 8])],
        [node("Add", ["image", "other"], ["sum"])],
    ),
    "integers": model(
        [value("image", ["N", 3, 8, 8], TensorProto.INT64)],
        [value("same", ["N", 3, 8, 8], TensorProto.INT64)],
        [node("Identity", ["image"], ["same"])],
    ),
    "rows": model([value("rows", ["N", 64])], [value("same", ["N", 64])], [node("Identity", ["rows"], ["same"])]),
    "four channels": model([value("image", ["N", 4, 8, 8])], [value("mean", ["N", 4, 1, 1])], mean),
    "no rows": model(
        [value("image", ["N", 3, 8, 8])],
        [value("total", [])],
        [node("ReduceSum", ["image"], ["total"], keepdims=0)],
    ),
}
out = {"weights": weights.ravel().tolist(), "models": models}
pathlib.Path(__file__).with_name("feature-nets.json").write_text(json.dumps(out, indent=1) + "\n")
