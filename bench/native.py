# Times onnxruntime outside the browser for the benchmark: one run for each line on stdin,
# its milliseconds on stdout. Arguments: model, frames (float32, NCHW, one after another), threads.
import sys
import time

import numpy
import onnxruntime

model, frames, threads = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
entry = session.get_inputs()[0]
inputs = numpy.fromfile(frames, numpy.float32).reshape([-1] + entry.shape)
for _ in range(5):
    session.run(None, {entry.name: inputs[0]})
print("ready", flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    session.run(None, {entry.name: inputs[int(line) % len(inputs)]})
    print((time.perf_counter() - start) * 1000, flush=True)
