"""How fast this machine multiplies matrices in float32 and in bfloat16, in GFLOPS: which precisions are worth measuring."""

import time

import torch
from measure import DEVICE, report, settings

SIZE = 1024
TRIES = 6


def measure() -> dict[str, float]:
    """By turns, the best of several: a moment in which the machine is busy must not decide."""
    best = {"float32": 0.0, "bfloat16": 0.0}
    for _ in range(TRIES):
        for name in best:
            a, b = (torch.randn(SIZE, SIZE).to(DEVICE, getattr(torch, name)) for _ in range(2))
            began = time.perf_counter()
            # Reading a value waits for a GPU.
            (a @ b)[0, 0].item()
            best[name] = max(best[name], 2 * SIZE**3 / (time.perf_counter() - began) / 1e9)
    return best


settings()
report(**measure())
