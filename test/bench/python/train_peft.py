"""transformers + PEFT: LoRA, prefix tuning, LoRA over 4-bit weights, or full fine-tuning.

settings: model, adapter, method (lora, prefix, qlora, full), precision (float32, bfloat16, autocast), checkpointing, compile,
data, rows, steps, learning_rate, weight_decay, max_grad_norm, threads
"""

import torch
from measure import DEVICE, read_batches, report, settings
from peft import (
    PeftConfig,
    PeftModel,
    get_peft_model,
    load_peft_weights,
    set_peft_model_state_dict,
)
from training import train
from transformers import BitsAndBytesConfig, GlmForCausalLM

SETTINGS = settings()
# Weights keep their full precision under autocast: it casts per operation.
DTYPE = torch.bfloat16 if SETTINGS["precision"] == "bfloat16" else torch.float32


def load_base() -> GlmForCausalLM:
    packing = {}
    if SETTINGS["method"] == "qlora":
        packing["device_map"] = DEVICE
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
        model = put_on(model, SETTINGS["adapter"])
    return model.to(DEVICE).train()


def put_on(model: GlmForCausalLM, adapter: str) -> PeftModel:
    """The adapter, to be trained on. PEFT's default keeps it in float32, as ours is."""
    if SETTINGS["method"] != "prefix":
        return PeftModel.from_pretrained(model, adapter, is_trainable=True)
    # PEFT does not go on training a saved prefix, so its values are put into a new one.
    config = PeftConfig.from_pretrained(adapter)
    config.inference_mode = False
    peft = get_peft_model(model, config)
    set_peft_model_state_dict(peft, load_peft_weights(adapter))
    return peft


def main() -> None:
    model = load()
    forward = torch.compile(model) if SETTINGS["compile"] else model
    batches = read_batches(SETTINGS["data"], SETTINGS["rows"], SETTINGS["steps"])
    train(model, lambda ids, labels: forward(input_ids=ids, labels=labels).loss, batches, SETTINGS)
    report()


main()
