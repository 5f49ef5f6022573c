"""Makes instances.json, the sample pictures' objects outlined by hand in COCO's format, and
expected.json, what pycocotools says of the detections that `spotter eval --out` writes for
each of the networks below. Needs pycocotools and Go; run it here.
"""
import contextlib, hashlib, io, json, os, subprocess, tempfile
import numpy as np
from pycocotools import mask as M
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

ROOT = "../../../.."
IMAGES = [("astronaut.jpg", 512, 512), ("portrait.jpg", 512, 600), ("cat.jpg", 451, 300), ("coffee.jpg", 600, 400)]
CATEGORIES = {"person": 1, "cat": 17, "tie": 32, "cup": 47, "spoon": 50, "dining table": 67}
OBJECTS = [
    ("astronaut.jpg", "person", [155, 60, 185, 20, 240, 15, 290, 45, 298, 95, 275, 135, 262, 175, 303, 235, 340, 265, 362, 350,
                                 300, 390, 275, 470, 280, 511, 40, 511, 22, 440, 45, 275, 118, 205, 120, 170, 165, 152, 180, 120, 157, 100]),
    ("portrait.jpg", "person", [155, 110, 180, 65, 230, 25, 290, 28, 345, 60, 371, 95, 373, 190, 362, 280, 330, 318, 480, 375, 511, 450,
                                511, 599, 12, 599, 35, 420, 65, 375, 205, 318, 163, 270, 155, 190]),
    ("portrait.jpg", "tie", [222, 432, 275, 408, 300, 425, 268, 500, 255, 527, 235, 480]),
    ("cat.jpg", "cat", [35, 0, 390, 0, 352, 75, 362, 110, 340, 180, 320, 230, 380, 270, 380, 299, 0, 299, 0, 130, 38, 60]),
    ("coffee.jpg", "cup", [175, 80, 205, 35, 290, 18, 370, 40, 408, 90, 400, 150, 370, 235, 330, 280, 255, 270, 230, 305, 198, 290, 205, 240, 178, 170]),
    ("coffee.jpg", "spoon", [395, 75, 420, 68, 423, 85, 390, 210, 405, 260, 400, 310, 365, 327, 330, 305, 327, 265, 370, 230]),
    ("coffee.jpg", "dining table", [0, 100, 140, 15, 190, 0, 599, 0, 599, 399, 0, 399]),
]
NETWORKS = {"picodet-s-416": "models/weights/picodet-s-416.onnx", "yolov5n-mnv4s-seg": "models/weights/yolov5n-mnv4s-seg-f16.safetensors"}

images = [{"id": 10 + i, "file_name": n, "width": w, "height": h} for i, (n, w, h) in enumerate(IMAGES)]
by_name = {im["file_name"]: im for im in images}
annotations = []
for name, category, polygon in OBJECTS:
    im = by_name[name]
    rle = M.merge(M.frPyObjects([polygon], im["height"], im["width"]))
    annotations.append({"id": len(annotations) + 1, "image_id": im["id"], "category_id": CATEGORIES[category], "iscrowd": 0,
                        "bbox": [float(v) for v in M.toBbox(rle)], "area": float(M.area(rle)), "segmentation": [polygon]})
json.dump({"images": images, "annotations": annotations, "categories": [{"id": i, "name": n} for n, i in CATEGORIES.items()]},
          open("instances.json", "w"))

expected = {}
for network, file in NETWORKS.items():
    out = os.path.join(tempfile.mkdtemp(), "results.json")
    subprocess.run(["go", "run", ".", "eval", "--model", network, "--images", "web/samples",
                    "--annotations", os.path.abspath("instances.json"), "--out", out], cwd=ROOT, check=True)
    e = expected[network] = {"sha256": hashlib.sha256(open(os.path.join(ROOT, file), "rb").read()).hexdigest(), "detections": len(json.load(open(out)))}
    for kind in ("bbox", "segm") if "seg" in network else ("bbox",):
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO("instances.json")
            ev = COCOeval(coco, coco.loadRes(out), kind)
            ev.evaluate(); ev.accumulate(); ev.summarize()
        e[kind] = [float(v) for v in ev.stats]
    print(network, e)
json.dump(expected, open("expected.json", "w"), indent=1)
