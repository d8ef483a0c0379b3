"""Greedy generation with the key/value cache of transformers.

settings: model, precision (float32, bfloat16), prompts (JSON lines of input_ids), rows (a batch), new_tokens (of each call), threads
"""

import json
import time
from pathlib import Path

import torch
from measure import report, settings
from transformers import GlmForCausalLM

SETTINGS = settings()


def load() -> GlmForCausalLM:
    dtype = torch.bfloat16 if SETTINGS["precision"] == "bfloat16" else torch.float32
    model = GlmForCausalLM.from_pretrained(
        SETTINGS["model"], dtype=dtype, attn_implementation="sdpa"
    )
    # Without an end token every call makes the same number of tokens, and nothing has to look for one.
    model.generation_config.eos_token_id = None
    return model.eval()


@torch.inference_mode()
def main() -> None:
    model = load()
    lines = Path(SETTINGS["prompts"]).read_text().splitlines()
    prompts = torch.tensor([json.loads(line)["input_ids"] for line in lines])
    for ids, limit in zip(prompts.split(SETTINGS["rows"]), SETTINGS["new_tokens"], strict=False):
        began = time.perf_counter()
        output = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=limit,
            do_sample=False,
        )
        seconds = time.perf_counter() - began
        tokens = output[:, ids.shape[1] :].tolist()
        print(json.dumps({"type": "call", "seconds": seconds, "tokens": tokens}), flush=True)
    report()


main()
