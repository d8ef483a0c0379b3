/** Files of an adapter directory. */

/** PEFT's settings; their `peft_type` tells a LoRA adapter from a prefix. */
export const ADAPTER_CONFIG = 'adapter_config.json';
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors';
/** What PEFT wrote before safetensors. */
export const ADAPTER_TORCH_WEIGHTS = 'adapter_model.bin';
/** THUDM's prefixes: the trained tensors, and the base's settings with those of the prefix. */
export const PREFIX_TORCH_WEIGHTS = 'pytorch_model.bin';
export const MODEL_CONFIG = 'config.json';
/** Our own: a projection's parameters, which PEFT's format has no place for, and the variant in words. */
export const PREFIX_ENCODER = 'prefix_encoder.safetensors';
export const PREFIX_RECORD = 'prefix_config.json';
