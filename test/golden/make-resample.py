"""Writes resample.json: a picture brought to other sizes by Pillow in float32.

pip install pillow==13.0.0 numpy
python3 test/golden/make-resample.py > test/golden/resample.json
"""
import json
import sys

import numpy as np
import PIL
from PIL import Image

COMMAND = "python3 test/golden/make-resample.py > test/golden/resample.json"
FILTERS = {"box": Image.BOX, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}
SIZES = [(3, 2), (5, 9), (13, 7), (20, 4)]

source = np.random.default_rng(5).integers(0, 256, (9, 13)).astype(np.float32)
image = Image.fromarray(source)
cases = [
    {
        "filter": name,
        "width": width,
        "height": height,
        "values": [float(v) for v in np.asarray(image.resize((width, height), filter)).ravel()],
    }
    for name, filter in FILTERS.items()
    for width, height in SIZES
]
json.dump(
    {
        "command": COMMAND,
        "pillow": PIL.__version__,
        "width": 13,
        "height": 9,
        "source": [int(v) for v in source.ravel()],
        "cases": cases,
    },
    sys.stdout,
)
print()
