"""Writes safetensors.json: a file made by the safetensors package, and the values that it holds.

pip install torch==2.15.0 safetensors==0.8.0 numpy
python3 test/golden/make-safetensors.py > test/golden/safetensors.json
"""
import base64
import json
import sys

import safetensors
import torch
from safetensors.torch import save

COMMAND = "python3 test/golden/make-safetensors.py > test/golden/safetensors.json"

odd = [0.1, -1.0, 65504.0, 6e-8, -0.0, 3.14159, 1e-3, -2.5]
whole = [0, 1, -1, 127, -128, 100, -100, 7]
tensors = {
    "half": torch.tensor(odd, dtype=torch.float16).reshape(2, 4),
    "brain": torch.tensor(odd + [3e38], dtype=torch.bfloat16),
    "single": torch.tensor(odd, dtype=torch.float32),
    "short": torch.tensor([v * 256 + 3 for v in whole], dtype=torch.int16),
    "byte": torch.tensor([v + 128 for v in whole], dtype=torch.uint8),
    "tiny": torch.tensor(whole, dtype=torch.int8)[:3],
    "empty": torch.zeros(0, 3, dtype=torch.float16),
    "scalar": torch.tensor(0.3, dtype=torch.bfloat16),
}

json.dump(
    {
        "command": COMMAND,
        "versions": {"torch": torch.__version__, "safetensors": safetensors.__version__},
        "tensors": {
            name: {
                "dtype": str(tensor.dtype).removeprefix("torch."),
                "shape": list(tensor.shape),
                "values": [float(v) for v in tensor.flatten().to(torch.float64)],
            }
            for name, tensor in tensors.items()
        },
        "base64": base64.b64encode(save(tensors, metadata={"format": "pt"})).decode(),
    },
    sys.stdout,
    indent=1,
)
print()
