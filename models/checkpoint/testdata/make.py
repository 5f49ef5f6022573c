"""Makes the checkpoints of this folder from ../../golden/testdata/formats/best.pt.

The classes that the checkpoint names are declared here without any behaviour: only what
torch.save writes of them matters. Run with PyTorch (2.15 made the files that are kept).
"""
import argparse
import copy
import io
import pathlib
import sys
import types
import zipfile

import numpy as np
import torch
from torch import nn

HERE = pathlib.Path(__file__).parent
GOLDEN = HERE / "../../golden/testdata/formats/best.pt"


def declare(module, *classes):
    """Makes a module of empty nn.Module classes importable under a dotted name."""
    m = types.ModuleType(module)
    for name in classes:
        cls = type(name, (nn.Module,), {"__module__": module})
        setattr(m, name, cls)
    sys.modules[module] = m
    return m


models = types.ModuleType("models")
models.__path__ = []
sys.modules["models"] = models
common = declare("models.common", "Conv", "C3", "Bottleneck", "SPPF", "Concat")
yolo = declare("models.yolo", "DetectionModel", "Detect")
backbone = declare("models.mobilenetv4", "MobileNetV4", "UniversalInvertedBottleneckBlock")
slip = declare("models.mobilenetv2", "MobileNetV4", "UniversalInvertedBottleneckBlock")


def load():
    return torch.load(GOLDEN, map_location="cpu", weights_only=False)


def rename(model):
    """Moves the backbone's classes to the module that the tutorial's text creates."""
    for m in model.modules():
        if type(m).__module__ == "models.mobilenetv4":
            m.__class__ = getattr(slip, type(m).__name__)
    return model


def fuse(model):
    """Folds the normalisation of every Conv into it, and takes it away, as for inference."""
    for m in model.modules():
        if type(m) is common.Conv and hasattr(m, "bn"):
            old, bn = m.conv, m.bn
            scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
            new = nn.Conv2d(old.in_channels, old.out_channels, old.kernel_size, old.stride, old.padding, old.dilation, old.groups, bias=True)
            new.weight = nn.Parameter(old.weight * scale.reshape(-1, 1, 1, 1), requires_grad=False)
            new.bias = nn.Parameter(bn.bias - bn.running_mean * scale, requires_grad=False)
            m.conv = new
            del m.bn
    return model


def deflate(path):
    """Packs an archive anew, with compression."""
    data = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            new.writestr(info, old.read(name), zipfile.ZIP_DEFLATED)


def legacy_ema():
    """The format before PyTorch 1.6, with good weights in ema only, the slip's module path,
    names as a list, an optimizer, numpy numbers, paths and an argparse namespace."""
    c = load()
    good = rename(c["model"])
    good.names = [f"class {i}" for i in range(80)]
    bad = copy.deepcopy(good)
    for p in bad.parameters():
        p.data.fill_(7)
    parameter = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([parameter], lr=0.01, momentum=0.9)
    parameter.grad = torch.ones(3)
    optimizer.step()
    torch.save({
        "epoch": 12, "best_fitness": np.float64(0.25), "model": bad, "ema": good, "updates": 100,
        "optimizer": optimizer.state_dict(),
        "opt": argparse.Namespace(imgsz=320, save_dir=pathlib.PurePosixPath("runs/train"), hyp=None),
        "git": None, "date": "2026-01-02T03:04:05",
    }, HERE / "legacy-ema.pt", _use_new_zipfile_serialization=False)


def fused():
    """Convolutions of the head with their normalisations folded, in float32, wrapped in
    DataParallel, pickle protocol 4, the archive compressed."""
    model = fuse(load()["model"].float())
    path = HERE / "fused.pt"
    torch.save(nn.DataParallel(model), path, pickle_protocol=4)
    deflate(path)


def tensors():
    """A state_dict of every element type and of awkward layouts. v[i] = i - 3 in all."""
    base = torch.arange(24, dtype=torch.float32) - 3
    square = base.reshape(2, 3, 2, 2)
    d = {name: base.to(getattr(torch, name)) for name in ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8")}
    d["uint8"] = (base + 3).to(torch.uint8)
    d["bool"] = base > 0
    d["channels_last"] = square.contiguous(memory_format=torch.channels_last)
    d["transposed"] = base.reshape(4, 6).t()
    d["view"] = base[5:11]
    d["step"] = base[1::2]
    d["scalar"] = torch.tensor(2.5)
    d["empty"] = torch.zeros(0, 3)
    d["parameter"] = nn.Parameter(base.reshape(4, 6))
    state = {"module.weight." + k: v for k, v in d.items()}
    torch.save({"state_dict": state, "lr": 0.1}, HERE / "tensors.pt")
    torch.save(state, HERE / "tensors-legacy.pt", _use_new_zipfile_serialization=False)
    state["module.weight.repeated"] = base[:1].expand(1 << 20)
    torch.save(state, HERE / "repeated.pt")


def script():
    """What torch.jit saves: code, which is refused."""
    torch.jit.script(nn.Linear(2, 2)).save(str(HERE / "script.pt"))


legacy_ema()
fused()
tensors()
script()
