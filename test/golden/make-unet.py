"""Writes unet.safetensors and unet.json: what diffusers' UNet2DModel gives for small networks of all kinds, and its weights.

Made with: torch 2.15.0, diffusers 0.42.1, safetensors, Python 3.11.7.
Command:   python3 test/golden/make-unet.py   (pip install torch==2.15.0 diffusers==0.42.1)

unet.json holds for each case its configuration and the steps and labels fed, and for some configurations the names and shapes of all
weights. unet.safetensors holds each case's weights as "case:name", its image as "case/sample" and the output as "case/output".
Weights are PyTorch's own start, with normalisations moved off 1 and 0. The case oldNames is stored under the attention names of old
files; diffusers itself loads them here and gives the same output.
"""

import json
import pathlib
import tempfile

import torch
from diffusers import UNet2DModel
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
SMALL = {
    "sample_size": 8,
    "block_out_channels": [8, 16],
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
    "layers_per_block": 1,
    "norm_num_groups": 4,
}
DDPM = {"attention_head_dim": None, "downsample_padding": 0, "flip_sin_to_cos": False, "freq_shift": 1, "norm_eps": 1e-6}
RESNET = {
    "down_block_types": ["ResnetDownsampleBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "ResnetUpsampleBlock2D"],
}

CASES = {
    "ddpm": {"config": DDPM, "steps": [999, 0]},
    "heads": {
        "config": {
            "attention_head_dim": 4,
            "resnet_time_scale_shift": "scale_shift",
            "num_class_embeds": 5,
            "down_block_types": ["AttnDownBlock2D", "AttnDownBlock2D"],
            "up_block_types": ["AttnUpBlock2D", "AttnUpBlock2D"],
        },
        "steps": [7, 500],
        "labels": [4, 1],
    },
    "timestepClasses": {
        "config": {
            "class_embed_type": "timestep",
            "block_out_channels": [4, 8],
            "act_fn": "mish",
            "mid_block_scale_factor": 1.4142135,
            "sample_size": [8, 12],
            "downsample_padding": 0,
            "flip_sin_to_cos": False,
        },
        "steps": [321, 20],
        "labels": [3, 11],
    },
    "fourier": {
        "config": {
            "time_embedding_type": "fourier",
            "block_out_channels": [8, 8],
            "act_fn": "relu",
            "downsample_type": "resnet",
            "upsample_type": "resnet",
            "down_block_types": ["AttnDownBlock2D", "DownBlock2D"],
            "up_block_types": ["UpBlock2D", "AttnUpBlock2D"],
        },
        "steps": [1, 30],
    },
    "learnedTime": {
        "config": {
            **RESNET,
            "time_embedding_type": "learned",
            "num_train_timesteps": 50,
            "class_embed_type": "identity",
            "act_fn": "gelu",
            "resnet_time_scale_shift": "scale_shift",
            "attn_norm_num_groups": 8,
            "time_embedding_dim": 24,
            "attention_head_dim": 16,
        },
        "steps": [49, 0],
    },
    "noMiddle": {
        "config": {
            "mid_block_type": None,
            "block_out_channels": [9, 12],
            "norm_num_groups": 3,
            "attention_head_dim": 5,
            "center_input_sample": True,
            "in_channels": 1,
            "out_channels": 2,
            "freq_shift": 1,
            "act_fn": "swish",
        },
        "steps": [0, 12345],
    },
    "oldNames": {
        "config": {
            **DDPM,
            "block_out_channels": [4, 8, 8],
            "layers_per_block": 2,
            "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D"],
            "up_block_types": ["UpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
        },
        "steps": [640, 3],
    },
    "noAttention": {
        "config": {
            "add_attention": False,
            "block_out_channels": [8, 8],
            "dropout": 0.1,
            "down_block_types": ["DownBlock2D", "DownBlock2D"],
            "up_block_types": ["UpBlock2D", "UpBlock2D"],
            "in_channels": 2,
            "out_channels": 4,
        },
        "steps": [99999, 18],
    },
}

CIFAR10 = {
    **DDPM,
    "sample_size": 32,
    "block_out_channels": [128, 256, 256, 256],
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
    "act_fn": "silu",
    "center_input_sample": False,
    "in_channels": 3,
    "out_channels": 3,
    "layers_per_block": 2,
    "mid_block_scale_factor": 1,
    "norm_num_groups": 32,
    "time_embedding_type": "positional",
}
OLD = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def old_name(name):
    for new, old in OLD.items():
        name = name.replace(f".{new}.", f".{old}.")
    return name


def listing(config):
    with torch.device("meta"):
        model = UNet2DModel(**config)
    return {"config": config, "weights": [[name, list(w.shape)] for name, w in model.state_dict().items()]}


def run(name, case, tensors):
    config = {**SMALL, **case["config"]}
    model = UNet2DModel(**config).eval()
    with torch.no_grad():
        for key, weight in model.named_parameters():
            if "norm" in key:
                weight += 0.2 * torch.randn_like(weight)
    size = config["sample_size"]
    height, width = size if isinstance(size, list) else (size, size)
    sample = torch.randn(2, config.get("in_channels", 3), height, width)
    labels = torch.tensor(case["labels"]) if "labels" in case else None
    if config.get("class_embed_type") == "identity":
        labels = torch.randn(2, config["time_embedding_dim"])
        tensors[f"{name}/labels"] = labels
    with torch.no_grad():
        output = model(sample, torch.tensor(case["steps"]), labels).sample
    weights = {key: weight.clone() for key, weight in model.state_dict().items()}
    if name == "oldNames":
        weights = {old_name(key): weight for key, weight in weights.items()}
        check_old(config, weights, sample, case["steps"], output)
    tensors.update({f"{name}:{key}": weight for key, weight in weights.items()})
    tensors.update({f"{name}/sample": sample, f"{name}/output": output.contiguous()})
    return {"name": name, "config": config, **{key: case[key] for key in ("steps", "labels") if key in case}}


def check_old(config, weights, sample, steps, output):
    with tempfile.TemporaryDirectory() as folder:
        UNet2DModel(**config).save_pretrained(folder)
        save_file(weights, f"{folder}/diffusion_pytorch_model.safetensors")
        model = UNet2DModel.from_pretrained(folder).eval()
        with torch.no_grad():
            assert torch.equal(model(sample, torch.tensor(steps)).sample, output)


torch.manual_seed(5)
tensors = {}
cases = [run(name, case, tensors) for name, case in CASES.items()]
golden = {
    "command": "python3 test/golden/make-unet.py",
    "versions": {"torch": "2.15.0", "diffusers": "0.42.1"},
    "cases": cases,
    "listings": {"cifar10": listing(CIFAR10), "defaults": listing({})}
    | {name: listing({**SMALL, **case["config"]}) for name, case in CASES.items()},
}
save_file(tensors, HERE / "unet.safetensors")
(HERE / "unet.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(sum(t.numel() for t in tensors.values()))
