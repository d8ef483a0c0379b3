/** Token by token generation with a key/value cache. */
import { batchInputs, createForward, hiddenStates, loraMatrices, outputLogits } from '../decoderGraph';
import { causalMask } from '../nn/attention';
import { Random } from '../random';
import type { ResidentModel } from '../residentModel';
import { bucketCapacity, bucketLength, padInts } from '../shapes';
import type { GenerateOptions, Generation } from '../types';
import type { Program } from '../backend/session';
import { KeyValueCache } from './keyValueCache';
import { chooseToken } from './sampling';

/** Longest piece of a prompt that is processed at once. */
const CHUNK = 512;

export class Generator {
  private cache: KeyValueCache | null = null;
  private programs = new Map<number, Program>();
  /** Ids whose keys and values are in the cache: a prompt that begins with them starts after them. */
  private cached: number[] = [];

  constructor(private readonly resident: ResidentModel) {}

  /** Continues a prompt of at least one id. Stops at a stop id, at `max_new_tokens`, at the model's length, or when aborted. */
  async generate(prompt: readonly number[], options: GenerateOptions): Promise<Generation> {
    const { sampling, stopIds, signal } = options;
    const { maxLength } = this.resident.model;
    const room = Math.max(0, Math.min(sampling.max_new_tokens, maxLength - prompt.length));
    await this.reserve(prompt.length + room);
    const random = new Random(sampling.seed);
    const outputIds: number[] = [];
    let pending = [...prompt];
    let start = this.sharedPrefix(prompt);
    pending = pending.slice(start);
    while (outputIds.length < room) {
      if (signal?.aborted) return { outputIds, finishReason: 'cancelled' };
      const logits = await this.extend(pending, start, signal);
      if (!logits) return { outputIds, finishReason: 'cancelled' };
      start += pending.length;
      const id = chooseToken(logits, [...prompt, ...outputIds], sampling, random);
      outputIds.push(id);
      if (stopIds.includes(id)) return { outputIds, finishReason: 'stop' };
      options.onToken?.(id);
      pending = [id];
    }
    return { outputIds, finishReason: 'length' };
  }

  /** How many ids of the prompt need not be computed again; the last one always is, for its logits. */
  private sharedPrefix(prompt: readonly number[]): number {
    let shared = 0;
    const most = Math.min(this.cached.length, prompt.length - 1);
    while (shared < most && this.cached[shared] === prompt[shared]) shared++;
    return shared;
  }

  private async reserve(tokens: number): Promise<void> {
    // A padded last chunk writes beyond the prompt.
    const needed = tokens + bucketLength(Math.min(tokens, CHUNK));
    if (this.cache && this.cache.capacity >= needed) return;
    const capacity = bucketCapacity(needed, this.resident.model.maxLength + CHUNK);
    const outgrown = this.cache;
    this.cache = null;
    this.programs = new Map();
    this.cached = [];
    await outgrown?.dispose();
    const cache = new KeyValueCache(this.resident, 1, capacity);
    await cache.initialise();
    this.cache = cache;
  }

  /** Processes `ids` from position `start` and returns the logits after the last one; null when aborted in between. */
  private async extend(
    ids: readonly number[],
    start: number,
    signal?: AbortSignal,
  ): Promise<Float32Array | null> {
    let logits: Float32Array | null = null;
    for (let done = 0; done < ids.length; done += CHUNK) {
      if (signal?.aborted) return null;
      const chunk = ids.slice(done, done + CHUNK);
      const length = chunk.length === 1 ? 1 : bucketLength(chunk.length);
      const from = start + done;
      const positions = Int32Array.from({ length }, (_, i) => from + i);
      this.cached.length = Math.min(this.cached.length, from);
      const feeds = [padInts(chunk, length), positions, Int32Array.of(chunk.length - 1)];
      [logits] = (await this.program(length).run(feeds)) as Float32Array[];
      this.cached.push(...chunk);
    }
    return logits;
  }

  /** ids and positions int32 [1, length], index of the last real token int32 [1] -> its logits float32 [vocab]. */
  private program(length: number): Program {
    let program = this.programs.get(length);
    if (!program) {
      program = this.compile(length);
      this.programs.set(length, program);
    }
    return program;
  }

  private compile(length: number): Program {
    const { resident, cache } = this;
    if (!cache) throw new Error('no cache was reserved');
    return resident.session.compile((graph) => {
      const [ids, positions] = batchInputs(graph, 1, length);
      const last = graph.placeholder([1], 'int32');
      const keys = graph.constant(
        Int32Array.from({ length: cache.capacity }, (_, i) => i),
        [1, cache.capacity],
        'int32',
      );
      const forward = createForward(resident, {
        graph,
        ops: graph,
        positions,
        mask: causalMask(graph, { query: positions, key: keys }, null, resident.dtype),
        store: cache.store(graph, positions),
        lora: loraMatrices(graph, resident),
        dropout: null,
      });
      const hidden = graph.gather(hiddenStates(resident, forward, ids), last);
      const logits = outputLogits(resident, forward, hidden);
      const flat = graph.reshape(logits, [resident.model.vocabSize]);
      return { inputs: [ids, positions, last], outputs: [flat], effects: [] };
    });
  }
}
