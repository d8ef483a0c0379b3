"""transformers + PEFT: LoRA, prefix tuning, LoRA over 4-bit weights, or full fine-tuning.

settings: model, adapter, method (lora, prefix, qlora, full), precision (float32, bfloat16, autocast), checkpointing, compile,
data, rows, steps, learning_rate, weight_decay, max_grad_norm, threads
"""

import torch
from measure import read_batches, report, settings
from training import train
from transformers import BitsAndBytesConfig, GlmForCausalLM

SETTINGS = settings()
# Weights keep their full precision under autocast: it casts per operation.
DTYPE = torch.bfloat16 if SETTINGS["precision"] == "bfloat16" else torch.float32


def load_base() -> GlmForCausalLM:
    packing = {}
    if SETTINGS["method"] == "qlora":
        packing["device_map"] = "cpu"
        packing["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=DTYPE,
        )
    return GlmForCausalLM.from_pretrained(
        SETTINGS["model"], dtype=DTYPE, attn_implementation="sdpa", **packing
    )


def load() -> torch.nn.Module:
    model = load_base()
    model.config.use_cache = False
    if SETTINGS["checkpointing"]:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    if SETTINGS["method"] != "full":
        from peft import PeftModel

        # PEFT's default keeps the adapter itself in float32, as ours is.
        model = PeftModel.from_pretrained(model, SETTINGS["adapter"], is_trainable=True)
    return model.train()


def main() -> None:
    model = load()
    forward = torch.compile(model) if SETTINGS["compile"] else model
    batches = read_batches(SETTINGS["data"], SETTINGS["rows"], SETTINGS["steps"])
    train(model, lambda ids, labels: forward(input_ids=ids, labels=labels).loss, batches, SETTINGS)
    report()


main()
