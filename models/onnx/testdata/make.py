"""Makes small ONNX files with every kind of head, and what onnxruntime computes of them.

NAME.onnx comes with NAME.f32: the outputs in order, float32 little-endian, for the picture
golden.Image(64, 64, 1) as RGB / 255; yolov5-dynamic-128x96.f32 is for a picture of that size. Run with PyTorch 2.15, onnx 1.23, onnxruntime 1.32.
"""
import pathlib
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from torch import nn

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
NC, BINS, MASKS, SIZE = 3, 8, 4, 64
M64 = (1 << 64) - 1


def mix(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & M64
    z = (z ^ z >> 27) * 0x94D049BB133111EB & M64
    return z ^ z >> 31


def picture(width=SIZE, height=SIZE, seed=1):
    """golden.Image: the formula of ../../golden/testdata/README.md."""
    g = 0x9E3779B97F4A7C15
    out = np.zeros((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            for c in range(3):
                block = mix((((y >> 4) * 65536 + (x >> 4)) * 4 + c + (seed << 40)) * g & M64) >> 56
                noise = mix(((y * 65536 + x) * 4 + c + (seed << 40) + (1 << 60)) * g & M64) >> 56
                out[y, x, c] = (3 * block + noise) >> 2
    return (out.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255)).astype(np.float32)


class Body(nn.Module):
    """Maps of strides 8, 16 and 32 with 8 channels, through a few operations of detectors."""

    def __init__(self, levels=3):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.SiLU())
        self.c2 = nn.Sequential(nn.Conv2d(8, 8, 3, 2, 1, groups=2), nn.Hardswish())
        self.c3 = nn.Sequential(nn.Conv2d(8, 8, 5, 2, 2, groups=8), nn.ReLU6())
        self.c4 = nn.Sequential(nn.Conv2d(8, 8, 3, 2, 1), nn.LeakyReLU(0.1))
        self.c5 = nn.Sequential(nn.Conv2d(8, 8, 3, 2, 1), nn.GELU())
        self.join = nn.Conv2d(16, 8, 1)

    def forward(self, x):
        p3 = self.c3(self.c2(self.stem(x)))
        p4 = self.c4(p3)
        p5 = self.c5(p4)
        p4 = self.join(torch.cat([p4, F.interpolate(p5, scale_factor=2.0, mode="nearest")], 1))
        return p3, p4, p5


def grid(h, w):
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    return torch.stack([x, y], -1).float()


class YOLOv5(nn.Module):
    anchors = torch.tensor([[10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119], [116, 90, 156, 198, 373.5, 326]]).float().reshape(3, 3, 2)

    def __init__(self, form, masks=0):
        super().__init__()
        self.body, self.form, self.masks = Body(), form, masks
        self.no = 5 + NC + masks
        self.m = nn.ModuleList(nn.Conv2d(8, 3 * self.no, 1) for _ in range(3))
        if masks:
            self.proto = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(8, masks, 1), nn.SiLU())

    def forward(self, x):
        maps = self.body(x)
        rows = []
        raw = []
        for i, f in enumerate(maps):
            t = self.m[i](f)
            if self.form == "raw":
                raw.append(t)
                continue
            h, w = t.shape[2], t.shape[3]
            t = t.view(1, 3, self.no, h, w).permute(0, 1, 3, 4, 2).contiguous()
            if self.form == "raw5":
                raw.append(t)
                continue
            stride, g = 2.0 ** (3 + i), grid(h, w)
            if self.form == "inplace":
                y = t.sigmoid()
                y[..., 0:2] = (y[..., 0:2] * 2 - 0.5 + g) * stride
                y[..., 2:4] = (y[..., 2:4] * 2) ** 2 * self.anchors[i].view(1, 3, 1, 1, 2)
            else:
                s = t[..., :5 + NC].sigmoid()
                xy = (s[..., 0:2] * 2 + (g - 0.5)) * stride
                wh = (s[..., 2:4] * 2) ** 2 * self.anchors[i].view(1, 3, 1, 1, 2)
                y = torch.cat([xy, wh, s[..., 4:], t[..., 5 + NC:]], -1)
            rows.append(y.view(1, -1, self.no))
        if raw:
            return tuple(raw)
        if self.masks:
            return torch.cat(rows, 1), self.proto(maps[0])
        return torch.cat(rows, 1)


class YOLOX(nn.Module):
    def __init__(self, decoded):
        super().__init__()
        self.body, self.decoded = Body(), decoded
        for name, n in (("reg", 4), ("obj", 1), ("cls", NC)):
            setattr(self, name, nn.ModuleList(nn.Conv2d(8, n, 1) for _ in range(3)))

    def forward(self, x):
        out = []
        for i, f in enumerate(self.body(x)):
            t = torch.cat([self.reg[i](f), self.obj[i](f).sigmoid(), self.cls[i](f).sigmoid()], 1)
            h, w = t.shape[2], t.shape[3]
            t = t.flatten(2).permute(0, 2, 1)
            if self.decoded:
                stride = 2.0 ** (3 + i)
                g = grid(h, w).view(1, -1, 2)
                t = torch.cat([(t[..., :2] + g) * stride, torch.exp(t[..., 2:4]) * stride, t[..., 4:]], -1)
            out.append(t)
        return torch.cat(out, 1)


class NanoDet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = Body()
        self.m = nn.ModuleList(nn.Conv2d(8, NC + 4 * BINS, 1) for _ in range(3))

    def forward(self, x):
        out = []
        for f, m in zip(self.body(x), self.m):
            cls, reg = m(f).split([NC, 4 * BINS], 1)
            out.append(torch.cat([cls.sigmoid(), reg], 1).flatten(2))
        return torch.cat(out, 2).permute(0, 2, 1)


class YOLOv8(nn.Module):
    def __init__(self, masks=0, split=False, bins=BINS):
        super().__init__()
        self.body, self.masks, self.split, self.bins = Body(), masks, split, bins
        self.box = nn.ModuleList(nn.Conv2d(8, 4 * bins, 1) for _ in range(3))
        self.cls = nn.ModuleList(nn.Conv2d(8, NC, 1) for _ in range(3))
        self.dfl = nn.Conv2d(bins, 1, 1, bias=False)
        self.dfl.weight.data[:] = torch.arange(bins).float().view(1, bins, 1, 1)
        if masks:
            self.coef = nn.ModuleList(nn.Conv2d(8, masks, 1) for _ in range(3))
            self.proto = nn.Sequential(nn.ConvTranspose2d(8, 8, 2, 2), nn.Conv2d(8, masks, 1), nn.SiLU())

    def forward(self, x):
        maps = self.body(x)
        joined = [torch.cat([b(f), c(f)], 1) for f, b, c in zip(maps, self.box, self.cls)]
        flat = torch.cat([t.view(1, 4 * self.bins + NC, -1) for t in joined], 2)
        box, cls = flat.split([4 * self.bins, NC], 1)
        n = box.shape[2]
        dist = self.dfl(box.view(1, 4, self.bins, n).transpose(2, 1).softmax(1)).view(1, 4, n)
        centre = torch.cat([(grid(t.shape[2], t.shape[3]) + 0.5).view(-1, 2) for t in maps]).t()[None]
        stride = torch.cat([torch.full((1, t.shape[2] * t.shape[3]), 2.0 ** (3 + i)) for i, t in enumerate(maps)], 1)
        lt, rb = dist.chunk(2, 1)
        x1y1, x2y2 = centre - lt, centre + rb
        if self.split:  # as PicoDet's own export without NMS: corners and scores apart
            return torch.cat([x1y1 * stride, x2y2 * stride], 1).permute(0, 2, 1), cls.sigmoid()
        y = torch.cat([torch.cat([(x1y1 + x2y2) / 2, x2y2 - x1y1], 1) * stride, cls.sigmoid()], 1)
        if self.masks:
            coef = torch.cat([c(f).view(1, self.masks, -1) for f, c in zip(maps, self.coef)], 2)
            return torch.cat([y, coef], 1), self.proto(maps[0])
        return y


class Classifier(nn.Module):
    """Operations of classifiers: shuffles, squeeze and excitation, attention, a dense end."""

    def __init__(self, softmax):
        super().__init__()
        self.body, self.softmax = Body(), softmax
        self.squeeze, self.excite = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)
        self.query, self.key, self.value = nn.Conv2d(8, 16, 1), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)
        self.project, self.gamma = nn.Conv2d(16, 8, 1), nn.Parameter(torch.linspace(0.5, 1, 8).view(8, 1, 1))
        self.pad = nn.ZeroPad2d((1, 2, 0, 1))
        self.dilated = nn.Conv2d(8, 8, 3, padding=2, dilation=2)
        self.dense = nn.Linear(8, 10)

    def forward(self, x):
        f = self.body(x)[0]
        h, w = f.shape[2], f.shape[3]
        f = f.view(1, 2, 4, h, w).transpose(1, 2).reshape(1, 8, h, w)
        f = f * F.hardsigmoid(self.excite(F.relu(self.squeeze(f.mean((2, 3), keepdim=True)))))
        q = self.query(f).view(1, 2, 8, h * w).transpose(2, 3)
        k, v = self.key(f).view(1, 1, 8, h * w), self.value(f).view(1, 1, 8, h * w)
        a = (q @ k * 8 ** -0.5).softmax(-1) @ v.transpose(2, 3)
        f = f + self.gamma * self.project(a.transpose(2, 3).reshape(1, 16, h, w))
        f = self.dilated(self.pad(f)[:, :, :8, 1:9])
        f = F.avg_pool2d(F.max_pool2d(f, 3, 2, ceil_mode=True), 2, 1, padding=1, count_include_pad=False)
        f = F.pixel_shuffle(torch.cat([f, f, -f, f.tanh()], 1), 2)
        f = F.interpolate(f, size=(7, 9), mode="bilinear", align_corners=False) / 1.5 - 0.25
        y = self.dense(torch.flatten(F.adaptive_avg_pool2d(torch.maximum(f, 1 - f), 1), 1))
        return y.softmax(1) if self.softmax else y


class Raw(nn.Module):
    """Maps in the other forms that heads come in: joined channels, or apart for each level."""

    def __init__(self, *counts):
        super().__init__()
        self.body = Body()
        self.m = nn.ModuleList(nn.ModuleList(nn.Conv2d(8, n, 1) for n in counts) for _ in range(3))

    def forward(self, x):
        return tuple(m(f) for f, ms in zip(self.body(x), self.m) for m in ms)


def spread(model):
    """Weights that keep the values' spread from layer to layer, seeded."""
    torch.manual_seed(7)
    for m in model.modules():
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)) and m is not getattr(model, "dfl", None):
            nn.init.normal_(m.weight, std=(2.5 / m.weight[0].numel()) ** 0.5)
            if m.bias is not None:
                nn.init.normal_(m.bias, std=0.5)
        if isinstance(m, nn.BatchNorm2d):
            nn.init.uniform_(m.running_mean, -0.2, 0.2)
            nn.init.uniform_(m.running_var, 0.5, 1.5)
            nn.init.uniform_(m.weight, 0.5, 1.5)
    return model.eval()


def save(name, model, opset=17, dynamic=False, half=False, dynamo=False, keep_bn=False, meta=None):
    path = HERE / f"{name}.onnx"
    x = torch.from_numpy(picture())
    spread(model)
    args = dict(opset_version=opset, input_names=["images"], dynamo=dynamo)
    if dynamic:
        args["dynamic_axes"] = {"images": {0: "batch", 2: "height", 3: "width"}}
    if keep_bn:
        args.update(training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
    if dynamo:
        args.update(verbose=False, external_data=False)
    with torch.no_grad():
        torch.onnx.export(model, (x,), str(path), **args)
    m = onnx.load(path)
    for key, value in (meta or {}).items():
        m.metadata_props.add(key=key, value=value)
    if half:
        from onnxruntime.transformers.float16 import convert_float_to_float16
        m = convert_float_to_float16(m, keep_io_types=half == "io")
    m.doc_string = ""
    for n in m.graph.node:  # file names and lines of the exporter
        n.doc_string = ""
        del n.metadata_props[:]
    del m.graph.value_info[:]
    onnx.save(m, path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feed = x.numpy() if half != True else x.numpy().astype(np.float16)
    outs = session.run(None, {session.get_inputs()[0].name: feed})
    (HERE / f"{name}.f32").write_bytes(b"".join(o.astype("<f4").tobytes() for o in outs))
    print(name, [list(o.shape) for o in outs], path.stat().st_size)


torch.set_grad_enabled(False)
names = "{0: 'cat', 1: \"dog's\", 2: 'cow'}"
save("yolov5", YOLOv5("decoded"), 12, meta={"names": names, "stride": "32"})
save("yolov5-op11-inplace", YOLOv5("inplace"), 11, keep_bn=True)
save("yolov5-dynamic", YOLOv5("decoded"), 13, dynamic=True)
session = onnxruntime.InferenceSession(str(HERE / "yolov5-dynamic.onnx"))
(HERE / "yolov5-dynamic-128x96.f32").write_bytes(session.run(None, {"images": picture(128, 96)})[0].astype("<f4").tobytes())
save("yolov5-half", YOLOv5("decoded"), 17, half=True)
save("yolov5-half-io", YOLOv5("decoded"), 17, half="io")
save("yolov5-dynamo", YOLOv5("decoded"), 18, dynamo=True)
save("yolov5-op19", YOLOv5("decoded"), 19)
save("yolov5-raw", YOLOv5("raw"), 17)
save("yolov5-raw5", YOLOv5("raw5"), 14)
save("yolov5-seg", YOLOv5("decoded", MASKS), 12)
save("yolox", YOLOX(False), 11)
save("yolox-decoded", YOLOX(True), 16)
save("yolox-apart", Raw(4, 1, NC), 16)
save("nanodet", NanoDet(), 11)
save("nanodet-apart", Raw(NC, 4 * BINS), 11)
save("yolov8", YOLOv8(), 17)
save("yolov8-dynamo", YOLOv8(bins=16), 18, dynamo=True)
save("yolov8-seg", YOLOv8(MASKS), 17)
save("boxes-scores", YOLOv8(split=True), 13)
save("classifier", Classifier(False), 13)
save("classifier-softmax", Classifier(True), 18, dynamo=True)
