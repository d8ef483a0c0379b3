"""Loads a checkpoint as transformers does, and says how long that took, imports not counted.

settings: model, threads
"""

import time

import torch
from measure import report, settings
from transformers import GlmForCausalLM

SETTINGS = settings()

began = time.perf_counter()
model = GlmForCausalLM.from_pretrained(SETTINGS["model"], dtype=torch.bfloat16)
report(seconds=time.perf_counter() - began)
