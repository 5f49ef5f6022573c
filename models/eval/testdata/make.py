"""Makes instances.json, results.json and expected.json: a small random data set in
COCO's format and what pycocotools says of it. Needs pycocotools and numpy.
"""
import contextlib, io, json, random
import numpy as np
from pycocotools import mask as M
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

rng = random.Random(5)
W, H, IMAGES = 320, 240, 24
CATEGORIES = [{"id": i, "name": n} for i, n in [(1, "person"), (3, "car"), (17, "cat"), (90, "toothbrush")]]


def polygon(x, y, w, h):
    n = rng.randint(3, 9)
    angles = sorted(rng.uniform(0, 2 * np.pi) for _ in range(n))
    points = []
    for a in angles:
        r = rng.uniform(0.6, 1.0)
        points += [round(x + w / 2 + r * w / 2 * np.cos(a), 2), round(y + h / 2 + r * h / 2 * np.sin(a), 2)]
    return points


def rle(seg):
    if isinstance(seg, list):
        return M.merge(M.frPyObjects(seg, H, W))
    return M.frPyObjects(seg, H, W)


images, annotations, results = [], [], []
for i in range(IMAGES):
    images.append({"id": 100 + 7 * i, "file_name": f"{i}.jpg", "width": W, "height": H})
    for _ in range(rng.randint(0, 7)):
        w, h = rng.choice([(12, 20), (40, 30), (110, 100), (220, 180)])
        w, h = w * rng.uniform(0.5, 1.3), h * rng.uniform(0.5, 1.3)
        x, y = rng.uniform(-3, W - w * 0.8), rng.uniform(-3, H - h * 0.8)
        segs = [polygon(x, y, w, h) for _ in range(rng.choice([1, 1, 2]))]
        crowd = rng.random() < 0.12
        seg = segs
        mask = rle(segs)
        if crowd:
            flat = M.decode(mask).flatten(order="F")
            counts, value = [0], 0
            for v in flat:
                if v != value:
                    counts.append(0)
                    value = v
                counts[-1] += 1
            seg = {"size": [H, W], "counts": counts}
        box = [float(v) for v in M.toBbox(mask)]
        category = rng.choice(CATEGORIES[:3])["id"]
        annotations.append({"id": len(annotations) + 1, "image_id": images[-1]["id"], "category_id": category, "bbox": box,
                            "area": float(M.area(mask)), "iscrowd": int(crowd), "segmentation": seg})
        for _ in range(rng.choice([0, 1, 1, 1, 2])):
            j = rng.choice([0.02, 0.1, 0.3])
            shifted = [[v + rng.uniform(-j, j) * (w if k % 2 == 0 else h) for k, v in enumerate(s)] for s in segs]
            found = M.merge(M.frPyObjects(shifted, H, W))
            jitter = lambda v, s: round(v + rng.uniform(-j, j) * s, 2)
            results.append({"image_id": images[-1]["id"], "category_id": category if rng.random() < 0.9 else 90,
                            "bbox": [jitter(box[0], w), jitter(box[1], h), abs(jitter(box[2], w)), abs(jitter(box[3], h))],
                            "score": round(rng.random(), 2), "segmentation": {"size": [H, W], "counts": found["counts"].decode()}})

dataset = {"images": images, "annotations": annotations, "categories": CATEGORIES}
json.dump(dataset, open("instances.json", "w"))
json.dump(results, open("results.json", "w"))

expected = {}
with contextlib.redirect_stdout(io.StringIO()):
    for name in ("bbox", "segm", "both"):  # both: masks in a file that also has boxes
        kind = "bbox" if name == "bbox" else "segm"
        coco = COCO("instances.json")
        entries = [{k: v for k, v in r.items() if kind == "segm" or k != "segmentation"} for r in results]
        if name == "segm":
            entries = [{k: v for k, v in r.items() if k != "bbox"} for r in entries]
        e = COCOeval(coco, coco.loadRes(entries), kind)
        e.evaluate(); e.accumulate(); e.summarize()
        p = e.eval["precision"]
        expected[name] = {"stats": [float(v) for v in e.stats],
                          "classes": [float(np.mean(q[q > -1])) if (q := p[:, :, k, 0, 2])[q > -1].size else -1.0 for k in range(len(CATEGORIES))]}
expected["areas"] = [float(M.area(rle(a["segmentation"]))) for a in annotations]
json.dump(expected, open("expected.json", "w"), indent=1)
print(len(annotations), len(results), expected["bbox"]["stats"], expected["segm"]["stats"])
