"""Writes levels.json: values in about [-1, 1] and the 8-bit levels that diffusers gives them.

pip install torch==2.15.0 diffusers==0.42.1
python3 test/golden/make-levels.py > test/golden/levels.json
"""
import json
import sys

import diffusers
import torch
from diffusers.image_processor import VaeImageProcessor

COMMAND = "python3 test/golden/make-levels.py > test/golden/levels.json"

ramp = torch.linspace(-1.3, 1.3, 40)
halves = torch.tensor([2 * (level + 0.5) / 255 - 1 for level in range(255)], dtype=torch.float32)
values = torch.cat([ramp, halves])
images = VaeImageProcessor().postprocess(values.reshape(1, 1, 1, -1), output_type="np")
levels = (images * 255).round().astype("uint8").ravel()
json.dump(
    {
        "command": COMMAND,
        "diffusers": diffusers.__version__,
        "values": [float(v) for v in values],
        "levels": [int(v) for v in levels],
    },
    sys.stdout,
)
print()
