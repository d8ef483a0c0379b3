"""What the scripts of the peer share: their settings, the data, and what they say at the end."""

import json
import os
import re
import sys
from pathlib import Path

import torch

# `cpu`, or `cuda` where the whole benchmark runs on a GPU.
DEVICE = os.environ.get("BENCH_DEVICE", "cpu")


def settings() -> dict:
    """The measurement's settings, the only argument; sets the number of threads."""
    values = json.loads(sys.argv[1])
    torch.set_num_threads(values["threads"])
    return values


def read_batches(path: str, rows: int, count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """`count` batches in file order, from the top again at its end; labels are the ids themselves."""
    lines = [json.loads(line) for line in Path(path).read_text().splitlines()]
    ids = torch.tensor([line["input_ids"] for line in lines])
    labels = torch.tensor([line["labels"] for line in lines])
    chosen = [torch.arange(step * rows, (step + 1) * rows) % len(lines) for step in range(count)]
    return [(ids[rows].to(DEVICE), labels[rows].to(DEVICE)) for rows in chosen]


def peak_memory() -> int:
    """Most bytes that this process has had resident. (`ru_maxrss` would count the parent's before exec.)"""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def resident_memory() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def report(**values) -> None:
    print(json.dumps({**values, "peak": peak_memory()}), flush=True)
