"""Writes a checkpoint of the architecture `glm` with seeded random weights, and adapters for it, that both sides load.

usage: checkpoint.py DIRECTORY '{"vocab_size": ..., "hidden_size": ..., ...}'
"""

import json
import math
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PrefixTuningConfig, get_peft_model
from transformers import GlmConfig, GlmForCausalLM

LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_up_proj", "down_proj"]
PREFIX_TOKENS = 128
# Branches that grow with the depth would let the residual stream overflow in 16 bits.
BRANCHES = ("o_proj.weight", "down_proj.weight")


def glm_config(sizes: dict) -> GlmConfig:
    return GlmConfig(
        **sizes,
        attention_bias=True,
        attention_dropout=0.0,
        tie_word_embeddings=False,
        partial_rotary_factor=0.5,
        rms_norm_eps=1e-5,
        pad_token_id=0,
        eos_token_id=1,
        dtype=torch.bfloat16,
    )


@torch.no_grad()
def fill(model: GlmForCausalLM) -> None:
    """Activations of unit size in every layer, as in a trained model."""
    generator = torch.Generator().manual_seed(0)
    branch = 1 / math.sqrt(2 * model.config.num_hidden_layers)
    for name, value in model.named_parameters():
        noise = torch.randn(value.shape, generator=generator, dtype=torch.float32)
        if name.endswith("norm.weight"):
            value.copy_(1 + 0.05 * noise)
        elif name.endswith("bias"):
            value.copy_(0.05 * noise)
        elif name.endswith("embed_tokens.weight"):
            value.copy_(noise)
        else:
            scale = branch if name.endswith(BRANCHES) else 1
            value.copy_(noise * scale / math.sqrt(value.shape[1]))


@torch.no_grad()
def write_lora(model: GlmForCausalLM, directory: Path) -> None:
    """Both matrices are random, so that every gradient matters from the first step on."""
    peft = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=LINEARS))
    generator = torch.Generator().manual_seed(1)
    for name, value in peft.named_parameters():
        if "lora_" in name:
            deviation = 1 / math.sqrt(value.shape[1]) if "lora_A" in name else 0.01
            value.copy_(deviation * torch.randn(value.shape, generator=generator))
    peft.save_pretrained(directory)
    peft.unload()


@torch.no_grad()
def write_prefix(model: GlmForCausalLM, directory: Path) -> None:
    config = PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=PREFIX_TOKENS)
    peft = get_peft_model(model, config)
    generator = torch.Generator().manual_seed(2)
    for value in (value for value in peft.parameters() if value.requires_grad):
        value.copy_(0.1 * torch.randn(value.shape, generator=generator))
    peft.save_pretrained(directory)


def main() -> None:
    directory, sizes = Path(sys.argv[1]), json.loads(sys.argv[2])
    torch.set_default_dtype(torch.bfloat16)
    model = GlmForCausalLM(glm_config(sizes))
    torch.set_default_dtype(torch.float32)
    fill(model)
    model.save_pretrained(directory / "model")
    write_lora(model, directory / "lora")
    write_prefix(model, directory / "prefix")


main()
