"""Writes npy.json: .npy files made by NumPy with the values that they hold.

pip install numpy==2.4.6
python3 test/golden/make-npy.py > test/golden/npy.json
"""
import base64
import io
import json
import sys

import numpy as np
from numpy.lib import format as npy

COMMAND = "python3 test/golden/make-npy.py > test/golden/npy.json"


def encoded(array, version=None):
    buffer = io.BytesIO()
    npy.write_array(buffer, array, version=version)
    return base64.b64encode(buffer.getvalue()).decode()


def case(name, array, version=None):
    return {
        "name": name,
        "descr": array.dtype.str,
        "shape": list(array.shape),
        "values": [float(value) for value in array.ravel(order="C")],
        "base64": encoded(array, version),
    }


base = np.array([[1.5, -2.25, 3.0], [0.1, 1e-3, -65504.0]])
counts = np.array([[0, 1, 2], [100, 127, 3]])
readable = []
for order in "<>":
    for kind in ["f2", "f4", "f8"]:
        readable.append(case(order + kind, base.astype(order + kind)))
    for kind in ["i2", "i4", "i8"]:
        readable.append(case(order + kind, -counts.astype(order + kind)))
    for kind in ["u2", "u4", "u8"]:
        readable.append(case(order + kind, counts.astype(order + kind)))
readable += [
    case("i1", -counts.astype("i1")),
    case("u1", (counts + 128).astype("u1")),
    case("bool", counts > 1),
    case("half extremes", np.array([2**-24, -(2**-14), 65504, 0.33325195], dtype="<f2")),
    case("fortran 2-D", np.asfortranarray(base)),
    case("fortran 3-D, big-endian", np.asfortranarray(np.arange(24, dtype=">f4").reshape(2, 3, 4))),
    case("one axis", np.arange(5, dtype="<f8")),
    case("scalar", np.array(2.5)),
    case("no rows", np.zeros((0, 2))),
    case("version 2.0", base, (2, 0)),
    case("version 3.0", base, (3, 0)),
]
writable = [
    {**case(f"{kind} {list(shape)}", np.arange(np.prod(shape, dtype=int)).astype(kind).reshape(shape)), "dtype": kind}
    for kind in ["float32", "float64", "int32", "int64", "bool"]
    for shape in [(), (7,), (2, 3), (3, 1, 2), (0, 4)]
]
refused = {
    "object": encoded(np.array([1, "a"], dtype=object)),
    "text": encoded(np.array(["a", "bc"])),
    "byte string": encoded(np.array([b"a", b"bc"])),
    "complex": encoded(np.array([1 + 2j])),
    "date": encoded(np.array(["2020-01-01"], dtype="M8[D]")),
    "structured": encoded(np.zeros(2, dtype=[("x", "<f4"), ("y", "<f4")])),
}
made_by = {"command": COMMAND, "numpy": np.__version__, "python": sys.version.split()[0]}
json.dump({"madeBy": made_by, "readable": readable, "writable": writable, "refused": refused}, sys.stdout, indent=1)
print()
