"""Writes tensorboard.json: records of an event file as the tensorboard package writes them.

pip install tensorboard==2.21.0
python3 test/golden/make-tensorboard.py > test/golden/tensorboard.json
"""
import io
import json
import sys

import tensorboard
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

COMMAND = "python3 test/golden/make-tensorboard.py > test/golden/tensorboard.json"
WALL_TIME = 1700000000.25
# Not a picture: a reader takes the bytes as they are.
PNG = bytes(range(200))


def scalar(tag, value):
    return Summary.Value(tag=tag, simple_value=value)


def image(tag, height, width, channels):
    encoded = Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=PNG)
    return Summary.Value(tag=tag, image=encoded)


def event(**fields):
    return Event(wall_time=WALL_TIME, **fields)


events = {
    "version": event(file_version="brain.Event:2"),
    "start": event(step=41, session_log=SessionLog(status=SessionLog.START)),
    "scalar": event(step=100, summary=Summary(value=[scalar("loss", 0.25)])),
    "several": event(
        step=2**40 + 3,
        summary=Summary(value=[scalar("loss", 1 / 3), scalar("größe", -1e30), scalar("none", 0.0)]),
    ),
    "image": event(step=7, summary=Summary(value=[image("samples", 34, 69, 4)])),
}


def record(message):
    out = io.BytesIO()
    RecordWriter(out).write(message.SerializeToString())
    return out.getvalue().hex()


json.dump(
    {
        "command": COMMAND,
        "tensorboard": tensorboard.__version__,
        "wallTime": WALL_TIME,
        "records": {name: record(message) for name, message in events.items()},
    },
    sys.stdout,
    indent=1,
)
print()
