"""The peer's training loop: lean, with AdamW in its fused form, the same clipping and the same decay as ours."""

import json
import time
from collections.abc import Callable

import torch
from measure import DEVICE, resident_memory


def optimizer_of(model: torch.nn.Module, rate: float, decay: float) -> torch.optim.AdamW:
    """Weight decay is for matrices, as our default has it."""
    trained = [value for value in model.parameters() if value.requires_grad]
    groups = [
        {"params": [value for value in trained if value.ndim > 1], "weight_decay": decay},
        {"params": [value for value in trained if value.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=rate, fused=True)


def train(
    model: torch.nn.Module,
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    batches: list[tuple[torch.Tensor, torch.Tensor]],
    settings: dict,
) -> None:
    """Says loss, seconds and resident memory of every step on a line of its own."""
    optimizer = optimizer_of(model, settings["learning_rate"], settings["weight_decay"])
    trained = [value for value in model.parameters() if value.requires_grad]
    autocast = settings["precision"] == "autocast"
    last = time.perf_counter()
    for ids, labels in batches:
        with torch.autocast(DEVICE, torch.bfloat16, enabled=autocast):
            loss = loss_of(ids, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, settings["max_grad_norm"])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        value = loss.item()
        now = time.perf_counter()
        step = {"type": "step", "loss": value, "seconds": now - last, "memory": resident_memory()}
        print(json.dumps(step), flush=True)
        last = now
