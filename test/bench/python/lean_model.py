"""A GLM decoder with LoRA on all linear layers in plain PyTorch, without transformers or peft: what a patient expert would write.

Query, key and value are one matrix product, as are gate and up. The LoRA factors stay in float32 and are cast at use.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn
from torch.utils.checkpoint import checkpoint


class LoraLinear(nn.Module):
    """`parts` are the names of the checkpoint's matrices whose rows follow one another; each has its own adapter."""

    def __init__(self, weights: dict, adapter: dict, prefix: str, parts: list[str], scale: float):
        super().__init__()
        names = [f"{prefix}.{part}" for part in parts]
        weight = torch.cat([weights[f"{name}.weight"] for name in names])
        self.weight = nn.Parameter(weight, requires_grad=False)
        biases = [weights[f"{name}.bias"] for name in names if f"{name}.bias" in weights]
        self.bias = nn.Parameter(torch.cat(biases), requires_grad=False) if biases else None
        self.down = nn.ParameterList(adapter[f"base_model.model.{name}.lora_A.weight"] for name in names)
        self.up = nn.ParameterList(adapter[f"base_model.model.{name}.lora_B.weight"] for name in names)
        self.scale = scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.linear(x, self.weight, self.bias)
        added = [
            F.linear(F.linear(x, a.to(x.dtype)) * self.scale, b.to(x.dtype))
            for a, b in zip(self.down, self.up, strict=True)
        ]
        return y + (added[0] if len(added) == 1 else torch.cat(added, -1))


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotates neighbouring pairs of the first half of the channels; x is [rows, heads, tokens, channels]."""
    width = 2 * cos.shape[-1]
    even, odd = x[..., 0:width:2], x[..., 1:width:2]
    turned = torch.stack((even * cos - odd * sin, odd * cos + even * sin), -1).flatten(-2)
    return torch.cat((turned, x[..., width:]), -1)


class Block(nn.Module):
    def __init__(self, config: dict, weights: dict, adapter: dict, index: int, scale: float):
        super().__init__()
        prefix = f"model.layers.{index}"
        self.sizes = (config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"])
        self.eps = config["rms_norm_eps"]
        norm = lambda name: nn.Parameter(weights[f"{prefix}.{name}.weight"], requires_grad=False)  # noqa: E731
        linear = lambda *parts: LoraLinear(weights, adapter, prefix, list(parts), scale)  # noqa: E731
        self.before_attention = norm("input_layernorm")
        self.before_mlp = norm("post_attention_layernorm")
        self.qkv = linear("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
        self.dense = linear("self_attn.o_proj")
        self.gate_up = linear("mlp.gate_up_proj")
        self.down = linear("mlp.down_proj")

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        rows, tokens, hidden = x.shape
        heads, groups, channels = self.sizes
        qkv = self.qkv(F.rms_norm(x, (hidden,), self.before_attention, self.eps))
        parts = qkv.view(rows, tokens, heads + 2 * groups, channels).transpose(1, 2)
        q, k, v = parts.split((heads, groups, groups), 1)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + self.dense(seen.transpose(1, 2).reshape(rows, tokens, heads * channels))
        gate, up = self.gate_up(F.rms_norm(x, (hidden,), self.before_mlp, self.eps)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class LeanGlm(nn.Module):
    def __init__(self, model: Path, adapter: Path, dtype: torch.dtype, checkpointing: bool):
        super().__init__()
        config = json.loads((model / "config.json").read_text())
        lora = json.loads((adapter / "adapter_config.json").read_text())
        files = sorted(model.glob("*.safetensors"))
        weights = {name: value.to(dtype) for file in files for name, value in load_file(file).items()}
        saved = load_file(adapter / "adapter_model.safetensors")
        factors = {name: value.float() for name, value in saved.items()}
        scale = lora["lora_alpha"] / lora["r"]
        frozen = lambda name: nn.Parameter(weights[name], requires_grad=False)  # noqa: E731
        self.embedding = frozen("model.embed_tokens.weight")
        self.norm = frozen("model.norm.weight")
        self.head = frozen("lm_head.weight")
        self.eps = config["rms_norm_eps"]
        rope = config["rope_parameters"]
        self.rotated = int(config["head_dim"] * rope["partial_rotary_factor"])
        self.theta = rope["rope_theta"]
        layers = range(config["num_hidden_layers"])
        self.blocks = nn.ModuleList(Block(config, weights, factors, index, scale) for index in layers)
        self.checkpointing = checkpointing

    def angles(self, tokens: int, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosine and sine, [tokens, rotated channels / 2]."""
        frequencies = self.theta ** (-torch.arange(0, self.rotated, 2).float() / self.rotated)
        angles = torch.outer(torch.arange(tokens).float(), frequencies)
        return angles.cos().to(dtype), angles.sin().to(dtype)

    def forward(self, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        x = F.embedding(ids, self.embedding)
        cos, sin = self.angles(ids.shape[1], x.dtype)
        for block in self.blocks:
            if self.checkpointing:
                x = checkpoint(block, x, cos, sin, use_reentrant=False)
            else:
                x = block(x, cos, sin)
        hidden = F.rms_norm(x, (x.shape[-1],), self.norm, self.eps)[:, :-1]
        logits = F.linear(hidden, self.head).float()
        return F.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())
