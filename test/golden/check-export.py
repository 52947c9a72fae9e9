"""Checks by hand that diffusers loads what unnoise exports, and that it computes the same.

Command:   python3 test/golden/check-export.py FOLDER [MODEL.onnx]
           (pip install diffusers==0.42.1 torch==2.15.0; onnxruntime for the second)

FOLDER is what `exportDiffusers` wrote. It is loaded by DDPMPipeline and DDIMPipeline, with every warning of diffusers an error (but that accelerate is not installed), and
saved again: the scheduler's file must come out as it went in. With FOLDER = an export of test/golden/pipelines/ddpm the network must
give what the original gives, to the bit. An ONNX file of the same model, batch 2, must give the network's outputs to 1e-4.
"""

import json
import logging
import pathlib
import sys
import tempfile

import torch
from diffusers import DDIMPipeline, DDPMPipeline, DiffusionPipeline

ORIGINAL = pathlib.Path(__file__).with_name("pipelines") / "ddpm"


class Complain(logging.Handler):
    def emit(self, record):
        if "accelerate" in record.getMessage():
            return
        raise SystemExit(f"diffusers warns: {record.getMessage()}")


def output_of(network):
    config = network.config
    torch.manual_seed(0)
    size = config.sample_size if isinstance(config.sample_size, (list, tuple)) else [config.sample_size] * 2
    x = torch.randn(2, config.in_channels, *size)
    labels = torch.tensor([0, 1]) if config.num_class_embeds else None
    with torch.no_grad():
        return x, labels, network(x, 321, class_labels=labels).sample


def check_scheduler(pipeline, folder):
    with tempfile.TemporaryDirectory() as again:
        pipeline.save_pretrained(again)
        read = [json.loads((pathlib.Path(root) / "scheduler/scheduler_config.json").read_text()) for root in (folder, again)]
    lost = {key: value for key, value in read[0].items() if not key.startswith("_") and read[1].get(key) != value}
    assert not lost, f"changed by diffusers: {lost}"


def check_onnx(path, x, labels, expected):
    import onnx
    import onnxruntime
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path)
    feeds = {"sample": x.numpy(), "timestep": torch.tensor([321], dtype=torch.int32).numpy()}
    if labels is not None:
        feeds["class_labels"] = labels.to(torch.int32).numpy()
    gap = (torch.from_numpy(session.run(["out_sample"], feeds)[0]) - expected).abs().max().item()
    print(f"ONNX file: largest difference {gap:.2g}; metadata: {', '.join(session.get_modelmeta().custom_metadata_map)}")
    assert gap < 1e-4


def main(folder, onnx_path=None):
    logging.getLogger("diffusers").addHandler(Complain(level=logging.WARNING))
    ddpm = DDPMPipeline.from_pretrained(folder)
    x, labels, output = output_of(ddpm.unet)
    for pipeline in (DDIMPipeline.from_pretrained(folder), DiffusionPipeline.from_pretrained(folder)):
        assert torch.equal(output_of(pipeline.unet)[2], output)
    ddpm.set_progress_bar_config(disable=True)
    image = ddpm(batch_size=1, num_inference_steps=2, output_type="np").images
    check_scheduler(ddpm, folder)
    print(f"{folder}: loads; scheduler {type(ddpm.scheduler).__name__}; images {image.shape}")
    if ddpm.unet.config.block_out_channels == [8, 16]:
        same = torch.equal(output, output_of(DDPMPipeline.from_pretrained(ORIGINAL).unet)[2])
        print(f"output equal to the original's: {same}")
        assert same
    if onnx_path:
        check_onnx(onnx_path, x, labels, output)


if __name__ == "__main__":
    main(*sys.argv[1:])
