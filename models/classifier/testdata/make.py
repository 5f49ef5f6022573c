"""Makes timm-*.json and tiny.pt: what timm's MobileNetV4 classifiers give with the golden weights
(../../golden says how they are computed from the parameters' names) on a golden picture;
tiny.pt is the state_dict, in half precision, of the one in timm-tiny.json.
Needs torch and timm (made with 2.15.0 and 1.0.31); nothing is downloaded.
"""
import hashlib, json, math
import numpy as np
import timm, torch

G, M = 0x9E3779B97F4A7C15, (1 << 64) - 1
MODELS = ["conv_small", "conv_medium", "conv_large", "hybrid_medium", "hybrid_large"]
SIDE, CLASSES, SEED = 96, 100, 7
DAMPED = {"pw_proj.conv": 0.25, "output.proj": 0.25, "layer_scale": 0.5, "classifier.weight": 0.5}


def mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(name, n):
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = ((h ^ b) * 0x100000001B3) & M
    z = np.uint64(h) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(G)
    return (mix(z) >> np.uint64(40)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)


def tensor(name, shape):
    u = uniform(name, math.prod(shape))
    if name.endswith("running_var"):
        v = u * np.float32(0.5) + np.float32(1)
    elif name.endswith("running_mean"):
        v = u * np.float32(0.125)
    elif name.endswith(".bias"):
        v = u * np.float32(0.5)
    elif len(shape) == 1:
        v = u * np.float32(0.25) + np.float32(1)
    else:
        gain = 4 if shape[1] == 3 else 2
        v = u * np.float32(math.sqrt(3 * gain / math.prod(shape[1:])))
    # Without normalisation by the batch, depth would blow the values up.
    damp = next((d for part, d in DAMPED.items() if part in name), 1)
    return (v * np.float32(damp)).astype(np.float32).reshape(shape)


def image(w, h, seed):
    y, x, c = np.meshgrid(np.arange(h, dtype=np.uint64), np.arange(w, dtype=np.uint64), np.arange(3, dtype=np.uint64), indexing="ij")
    u = np.uint64
    block = mix((((y >> u(4)) * u(65536) + (x >> u(4))) * u(4) + c + u(seed << 40)) * u(G)) >> u(56)
    noise = mix(((y * u(65536) + x) * u(4) + c + u(seed << 40) + u(1 << 60)) * u(G)) >> u(56)
    return ((u(3) * block + noise) >> u(2)).astype(np.uint8)


def check(t, n):
    v = t.detach().numpy()[0].astype(np.float32)
    flat = v.reshape(-1)
    at = [(2 * j + 1) * flat.size // (2 * n) for j in range(n)]
    return {"shape": list(v.shape), "mean": float(flat.mean(dtype=np.float64)), "std": float(flat.std(dtype=np.float64)),
            "min": float(flat.min()), "max": float(flat.max()), "values": [float(flat[i]) for i in at]}


def run(name, model, half=False):
    model.eval()
    state = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    new = {k: tensor(k, tuple(v.shape)) for k, v in state.items()}
    digest = hashlib.sha256()
    for k in sorted(new):
        digest.update(new[k].tobytes())
    new = {k: torch.from_numpy(v) for k, v in new.items()}
    if half:
        new = {k: v.half() for k, v in new.items()}
        torch.save(new, name + ".pt")
        new = {k: v.float() for k, v in new.items()}
    model.load_state_dict(new, strict=False)
    layers = {}
    for n, m in model.named_modules():
        if n == "bn1" or n == "norm_head" or n.count(".") == 2 and n.startswith("blocks."):
            m.register_forward_hook(lambda _m, _i, out, n=n: layers.__setitem__(n, check(out, 12)))
    x = image(SIDE, SIDE, SEED).astype(np.float32) / np.float32(255)
    x = (x - np.array([0.485, 0.456, 0.406], np.float32)) / np.array([0.229, 0.224, 0.225], np.float32)
    logits = model(torch.from_numpy(x.transpose(2, 0, 1)[None].copy()))
    top = torch.softmax(logits, 1)[0].topk(5)
    json.dump({
        "params": sum(p.numel() for p in model.parameters()), "weights_sha256": digest.hexdigest(), "classes": logits.shape[1],
        "side": SIDE, "image_seed": SEED, "layers": layers, "logits": check(logits, logits.shape[1]),
        "top": [[int(i), float(v)] for v, i in zip(top.values, top.indices)],
    }, open(f"timm-{name}.json", "w"), separators=(",", ":"))
    print(name, {k: round(v["std"], 3) for k, v in layers.items()}, top.values.tolist())


np.seterr(over="ignore")
torch.set_grad_enabled(False)
for name in MODELS:
    run(name, timm.create_model("mobilenetv4_" + name, num_classes=CLASSES))
run("tiny", timm.models.mobilenetv3._gen_mobilenet_v4("mobilenetv4_conv_small", 0.03, num_classes=10), half=True)
