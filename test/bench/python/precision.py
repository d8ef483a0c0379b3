"""How fast this machine multiplies matrices in float32 and in bfloat16, in GFLOPS: which precisions are worth measuring."""

import time

import torch
from measure import report, settings

SIZE = 1024


def gflops(dtype: torch.dtype) -> float:
    a, b = (torch.randn(SIZE, SIZE).to(dtype) for _ in range(2))
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - began)
    return 2 * SIZE**3 / best / 1e9


settings()
report(float32=gflops(torch.float32), bfloat16=gflops(torch.bfloat16))
