"""LoRA with the lean module; the settings are those of train_peft.py."""

from pathlib import Path

import torch
from lean_model import LeanGlm
from measure import DEVICE, read_batches, report, settings
from training import train

SETTINGS = settings()
DTYPE = torch.bfloat16 if SETTINGS["precision"] == "bfloat16" else torch.float32

model = LeanGlm(Path(SETTINGS["model"]), Path(SETTINGS["adapter"]), DTYPE, SETTINGS["checkpointing"])
batches = read_batches(SETTINGS["data"], SETTINGS["rows"], SETTINGS["steps"])
model.to(DEVICE)
train(model.train(), model, batches, SETTINGS)
report()
