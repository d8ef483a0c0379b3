/** Writes a checkpoint of ChatGLM3-6B's size with random weights: float16 safetensors shards, streamed. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';

/** ChatGLM3-6B's own configuration, but for the number of layers. */
export function chatGlm3Config(layers) {
  return {
    architectures: ['ChatGLMModel'],
    model_type: 'chatglm',
    add_bias_linear: false,
    add_qkv_bias: true,
    apply_query_key_layer_scaling: true,
    apply_residual_connection_post_layernorm: false,
    attention_dropout: 0,
    attention_softmax_in_fp32: true,
    bias_dropout_fusion: true,
    ffn_hidden_size: 13696,
    fp32_residual_connection: false,
    hidden_dropout: 0,
    hidden_size: 4096,
    kv_channels: 128,
    layernorm_epsilon: 1e-5,
    multi_query_attention: true,
    multi_query_group_num: 2,
    num_attention_heads: 32,
    num_layers: layers,
    original_rope: true,
    padded_vocab_size: 65024,
    post_layer_norm: true,
    rmsnorm: true,
    seq_length: 8192,
    use_cache: true,
    torch_dtype: 'float16',
    tie_word_embeddings: false,
    eos_token_id: 2,
    pad_token_id: 0,
  };
}

/**
 * Tensors in the order of the layers. `deviation`: standard deviation of the values around `mean`.
 * @returns {{ name: string, shape: number[], deviation: number, mean: number }[]}
 */
function tensorsOf(config) {
  const { hidden_size: hidden, ffn_hidden_size: ffn, padded_vocab_size: vocabulary } = config;
  const projection = config.kv_channels * config.num_attention_heads;
  const fused = projection + 2 * config.kv_channels * config.multi_query_group_num;
  // Branches that grow with the depth would let the residual stream overflow.
  const branch = 1 / Math.sqrt(2 * config.num_layers);
  const matrix = (name, out, width, scale = 1) => ({
    name: `${name}.weight`,
    shape: [out, width],
    deviation: scale / Math.sqrt(width),
    mean: 0,
  });
  const norm = (name) => ({ name: `${name}.weight`, shape: [hidden], deviation: 0.05, mean: 1 });
  const layer = (index) => {
    const prefix = `transformer.encoder.layers.${index}`;
    return [
      norm(`${prefix}.input_layernorm`),
      matrix(`${prefix}.self_attention.query_key_value`, fused, hidden),
      { name: `${prefix}.self_attention.query_key_value.bias`, shape: [fused], deviation: 0.05, mean: 0 },
      matrix(`${prefix}.self_attention.dense`, hidden, projection, branch),
      norm(`${prefix}.post_attention_layernorm`),
      matrix(`${prefix}.mlp.dense_h_to_4h`, 2 * ffn, hidden),
      matrix(`${prefix}.mlp.dense_4h_to_h`, hidden, ffn, branch),
    ];
  };
  return [
    matrix('transformer.embedding.word_embeddings', vocabulary, hidden, Math.sqrt(hidden)),
    ...Array.from({ length: config.num_layers }, (_, index) => layer(index)).flat(),
    norm('transformer.encoder.final_layernorm'),
    matrix('transformer.output_layer', vocabulary, hidden),
  ];
}

/** Values of a pool that are repeated; not a multiple of any row, so that rows differ. */
const POOL_VALUES = 4_194_301;
const SHARD_BYTES = 2e9;

const sizeOf = ({ shape }) => shape.reduce((product, size) => product * size, 1);
const bytesOf = (tensor) => 2 * sizeOf(tensor);

/** @returns {{ file: string, tensors: ReturnType<typeof tensorsOf> }[]} */
function shardsOf(tensors) {
  const groups = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    if (bytes > 0 && bytes + bytesOf(tensor) > SHARD_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1).push(tensor);
    bytes += bytesOf(tensor);
  }
  const number = (value) => String(value).padStart(5, '0');
  return groups.map((group, index) => ({
    file: `model-${number(index + 1)}-of-${number(groups.length)}.safetensors`,
    tensors: group,
  }));
}

/**
 * Writes the checkpoint, unless the directory already holds one of this configuration.
 * @param {string} directory
 * @param {ReturnType<typeof chatGlm3Config>} config
 * @param {(line: string) => void} say
 * @returns {{ bytes: number, parameters: number, written: boolean }}
 */
export function writeRandomCheckpoint(directory, config, say) {
  const tensors = tensorsOf(config);
  const shards = shardsOf(tensors).map((shard) => ({ ...shard, header: headerOf(shard.tensors) }));
  const parameters = tensors.reduce((sum, tensor) => sum + sizeOf(tensor), 0);
  const bytes = shards.reduce((sum, shard) => sum + fileBytes(shard), 0);
  const text = `${JSON.stringify(config, null, 2)}\n`;
  const file = path.join(directory, 'config.json');
  if (existsSync(file)) {
    const fits =
      readFileSync(file, 'utf8') === text &&
      shards.every((shard) => sizeOnDisk(path.join(directory, shard.file)) === fileBytes(shard));
    if (!fits) throw new Error(`${directory} holds another model`);
    return { bytes, parameters, written: false };
  }
  mkdirSync(directory, { recursive: true });
  const pools = new Pools();
  for (const shard of shards) {
    say(`  ${shard.file}: ${(fileBytes(shard) / 1e9).toFixed(2)} GB`);
    writeShard(path.join(directory, shard.file), shard, pools);
  }
  const map = shards.flatMap(({ file: shard, tensors: list }) => list.map(({ name }) => [name, shard]));
  const index = { metadata: { total_size: 2 * parameters }, weight_map: Object.fromEntries(map) };
  writeFileSync(path.join(directory, 'model.safetensors.index.json'), `${JSON.stringify(index, null, 2)}\n`);
  // Last: what makes the directory a model.
  writeFileSync(file, text);
  return { bytes, parameters, written: true };
}

function sizeOnDisk(file) {
  return existsSync(file) ? statSync(file).size : -1;
}

function fileBytes({ header, tensors }) {
  return header.length + tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
}

function headerOf(tensors) {
  let offset = 0;
  const entries = tensors.map((tensor) => {
    const start = offset;
    offset += bytesOf(tensor);
    return [tensor.name, { dtype: 'F16', shape: tensor.shape, data_offsets: [start, offset] }];
  });
  const json = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) });
  const bytes = Buffer.alloc(8 + Math.ceil(Buffer.byteLength(json) / 8) * 8, ' ');
  bytes.writeBigUInt64LE(BigInt(bytes.length - 8));
  bytes.write(json, 8);
  return bytes;
}

function writeShard(file, { header, tensors }, pools) {
  const partial = `${file}.partial`;
  const descriptor = openSync(partial, 'w');
  try {
    writeFully(descriptor, header);
    for (const tensor of tensors) {
      for (const piece of pools.pieces(tensor)) writeFully(descriptor, piece);
    }
  } finally {
    closeSync(descriptor);
  }
  renameSync(partial, file);
}

function writeFully(descriptor, bytes) {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
}

/** Normally distributed float16 values; one pool for every mean and deviation, read round and round. */
class Pools {
  constructor() {
    this.uniform = uniformNumbers();
    this.normal = normalValues(POOL_VALUES, this.uniform);
    this.pools = new Map();
  }

  /** The bytes of a tensor's values, in pieces. */
  *pieces(tensor) {
    const pool = this.pool(tensor);
    // Tensors that began at the same value would be copies of each other, row by row.
    pool.cursor = 2 * Math.floor(this.uniform() * POOL_VALUES);
    for (let left = bytesOf(tensor); left > 0;) {
      const piece = pool.bytes.subarray(pool.cursor, Math.min(pool.bytes.length, pool.cursor + left));
      pool.cursor = (pool.cursor + piece.length) % pool.bytes.length;
      left -= piece.length;
      yield piece;
    }
  }

  pool({ mean, deviation }) {
    const key = `${mean} ${deviation}`;
    let pool = this.pools.get(key);
    if (!pool) {
      const halves = Uint16Array.from(this.normal, (value) => toFloat16(mean + deviation * value));
      pool = { bytes: new Uint8Array(halves.buffer), cursor: 0 };
      this.pools.set(key, pool);
    }
    return pool;
  }
}

/** A congruential generator with a fixed start: the same weights every time. */
function uniformNumbers() {
  let state = 20240229;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 4294967296;
  };
}

/** Box-Muller. */
function normalValues(count, uniform) {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    values[i] = radius * Math.cos(angle);
    if (i + 1 < count) values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Bit pattern of a number of moderate size; what is below float16's normal range becomes 0. */
function toFloat16(value) {
  float[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = bits[0] & 0x7fffffff;
  if (magnitude < 0x38800000) return sign;
  return sign | ((magnitude + 0x1000 - 0x38000000) >>> 13);
}
