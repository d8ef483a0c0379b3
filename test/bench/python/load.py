"""Loads a checkpoint as transformers does, and says how long that took, imports not counted.

Weights that are wanted in the type they are stored in are only mapped into memory; `touch` reads a value of every page, after which
they are there.

settings: model, touch, threads
"""

import time

import torch
from measure import report, settings
from transformers import GlmForCausalLM

SETTINGS = settings()
VALUES_PER_PAGE = 4096 // 2

began = time.perf_counter()
model = GlmForCausalLM.from_pretrained(SETTINGS["model"], dtype=torch.bfloat16)
if SETTINGS["touch"]:
    for value in model.parameters():
        value.detach().view(torch.int16).flatten()[::VALUES_PER_PAGE].sum()
report(seconds=time.perf_counter() - began)
