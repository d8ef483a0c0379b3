/** Token by token generation with a key/value cache, one or several rows at a time. */
import { bindPrefix } from '../adapters/binding';
import { readAdapter } from '../adapters/residentAdapter';
import type { Program } from '../backend/session';
import { BoundForward, hiddenStates, outputLogits } from '../decoderGraph';
import type { Places } from '../glm/model';
import { visibilityMask } from '../nn/attention';
import { Random } from '../random';
import type { ResidentModel } from '../residentModel';
import { placesOf } from '../sequence';
import { bucketCapacity, bucketLength } from '../shapes';
import type { GenerateOptions, Generation } from '../types';
import { KeyValueCache } from './keyValueCache';
import { chooseToken } from './sampling';

/** Longest piece of a prompt that is processed at once where pieces are possible. */
const CHUNK = 512;

/** A row while it is generated. */
interface Row {
  /** Prompt and answer so far. */
  ids: number[];
  promptLength: number;
  /** How many ids may be added. */
  room: number;
  /** Of the prompt and of everything that may follow it. */
  places: Places;
  options: GenerateOptions;
  random: Random;
  finishReason: Generation['finishReason'] | null;
}

export class Generator {
  private cache: KeyValueCache | null = null;
  private programs = new Map<number, Program>();
  /** Ids whose keys and values are in the cache of a single row: a prompt that begins with them starts after them. */
  private cached: number[] = [];

  constructor(private readonly resident: ResidentModel) {}

  /** Continues a prompt of at least one id. Stops at a stop id, at `max_new_tokens`, at the model's length, or when aborted. */
  async generate(prompt: readonly number[], options: GenerateOptions): Promise<Generation> {
    const [generation] = await this.generateBatch([prompt], [options]);
    return generation;
  }

  /** The same for several prompts side by side; every row ends by its own rules. */
  async generateBatch(
    prompts: readonly (readonly number[])[],
    options: readonly GenerateOptions[],
  ): Promise<Generation[]> {
    const rows = prompts.map((prompt, i) => this.startRow(prompt, options[i]));
    await this.reserve(rows);
    let starts = rows.map((row) => this.sharedPrefix(row, rows.length));
    for (cancelAborted(rows); rows.some(isOpen); cancelAborted(rows)) {
      const logits = await this.extend(rows, starts);
      if (!logits) break;
      starts = rows.map(({ ids }) => ids.length);
      rows.forEach((row, i) => {
        if (isOpen(row)) choose(row, logits[i]);
        // A row that has ended is fed its last token again, into a slot that nothing else reads.
        else starts[i] = row.ids.length - 1;
      });
    }
    return rows.map(({ ids, promptLength, finishReason }) => ({
      outputIds: ids.slice(promptLength),
      finishReason: finishReason ?? 'cancelled',
    }));
  }

  private startRow(prompt: readonly number[], options: GenerateOptions): Row {
    const { max_new_tokens: wanted, seed } = options.sampling;
    const room = Math.max(0, Math.min(wanted, this.resident.maxLength - prompt.length));
    // What follows a prompt does not change where its tokens stand.
    const whole = new Int32Array(prompt.length + room);
    whole.set(prompt);
    return {
      ids: [...prompt],
      promptLength: prompt.length,
      room,
      places: placesOf(this.resident, whole),
      options,
      random: new Random(seed),
      finishReason: room === 0 ? 'length' : null,
    };
  }

  /** How many ids of the prompt need not be computed again; the last one always is, for its logits. */
  private sharedPrefix({ ids }: Row, count: number): number {
    if (count > 1 || this.resident.model.bidirectionalContext) return 0;
    let shared = 0;
    const most = Math.min(this.cached.length, ids.length - 1);
    while (shared < most && this.cached[shared] === ids[shared]) shared++;
    return shared;
  }

  private async reserve(rows: readonly Row[]): Promise<void> {
    const { prefixLength, maxLength } = this.resident;
    const tokens = Math.max(...rows.map(({ promptLength, room }) => promptLength + room));
    // A padded last piece writes beyond the prompt.
    const needed = prefixLength + tokens + bucketLength(Math.min(tokens, this.pieceLength));
    if (this.cache && this.cache.batch === rows.length && this.cache.capacity >= needed) return;
    const capacity = bucketCapacity(needed, prefixLength + maxLength + bucketLength(this.pieceLength));
    await this.release();
    const cache = new KeyValueCache(this.resident, rows.length, capacity);
    try {
      await cache.initialise();
      if (prefixLength > 0) await this.fillPrefix(cache);
    } catch (error) {
      // What there was memory for is not left behind.
      await cache.dispose();
      throw error;
    }
    this.cache = cache;
  }

  /** Frees the cache and the programs that were compiled for it. */
  private async release(): Promise<void> {
    const { cache, programs } = this;
    this.cache = null;
    this.programs = new Map();
    this.cached = [];
    for (const program of programs.values()) program.dispose();
    await cache?.dispose();
  }

  private get pieceLength(): number {
    return this.resident.model.bidirectionalContext ? this.resident.maxLength : CHUNK;
  }

  /** Writes an adapter's prefix into the first slots of every row. */
  private async fillPrefix(cache: KeyValueCache): Promise<void> {
    const { resident } = this;
    const { adapter, dtype, prefixLength } = resident;
    if (adapter?.kind !== 'prefix') return;
    await resident.session.runOnce((graph) => {
      const values = readAdapter(graph, adapter)!;
      const layers = bindPrefix(graph, adapter, values, { dtype, batch: cache.batch, seed: null });
      const slots = Int32Array.from({ length: cache.batch * prefixLength }, (_, i) => i % prefixLength);
      const store = cache.store(graph, graph.constant(slots, [cache.batch, prefixLength], 'int32'));
      const written = layers.map(({ keys, values: v }, layer) => store.extend(layer, keys, v));
      // Reading one element of each makes the writes happen.
      const outputs = written.flatMap(({ keys, values: v }) =>
        [keys, v].map((x) => graph.cast(graph.slice(x, [0, 0, 0, 0], [1, 1, 1, 1]), 'float32')),
      );
      return { inputs: [], outputs, effects: [] };
    });
  }

  /** Processes each row's ids from its start on and returns the logits after the last one; null when aborted in between. */
  private async extend(rows: readonly Row[], starts: readonly number[]): Promise<Float32Array[] | null> {
    const { vocabSize } = this.resident.model;
    const result: Float32Array[] = [];
    const pending = rows.map(({ ids }, i) => ids.length - starts[i]);
    const most = Math.max(...pending);
    this.cached.length = Math.min(this.cached.length, starts[0]);
    for (let done = 0; done < most; done += this.pieceLength) {
      if (rows.every((row) => !isOpen(row) || row.options.signal?.aborted)) return null;
      const longest = Math.min(this.pieceLength, most - done);
      const length = longest === 1 ? 1 : bucketLength(longest);
      const [logits] = (await this.program(length).run(
        this.feeds(rows, starts, done, length),
      )) as Float32Array[];
      pending.forEach((count, i) => {
        const last = count - 1 - done;
        if (last >= 0 && last < this.pieceLength)
          result[i] = logits.subarray(i * vocabSize, (i + 1) * vocabSize);
      });
    }
    this.cached = rows.length === 1 ? [...rows[0].ids] : [];
    return result;
  }

  /** ids, positions, slots [b, length], key orders [b, capacity], flat index of each row's last token [b]. */
  private feeds(rows: readonly Row[], starts: readonly number[], done: number, length: number): Int32Array[] {
    const { prefixLength, model } = this.resident;
    const { capacity } = this.cache!;
    const ids = new Int32Array(rows.length * length);
    const streams = Array.from({ length: model.streams }, () => new Int32Array(rows.length * length));
    const slots = new Int32Array(rows.length * length);
    const keyOrder = new Int32Array(rows.length * capacity);
    const last = new Int32Array(rows.length);
    rows.forEach((row, r) => {
      const from = starts[r] + done;
      const count = Math.max(0, Math.min(length, row.ids.length - from));
      for (let t = 0; t < length; t++) {
        const at = r * length + t;
        ids[at] = t < count ? row.ids[from + t] : 0;
        streams.forEach((stream, s) => {
          stream[at] = row.places.streams[s][from + t] ?? 0;
        });
        slots[at] = Math.min(prefixLength + from + t, capacity - 1);
      }
      for (let slot = 0; slot < capacity; slot++) {
        const index = slot - prefixLength;
        const order = index < 0 ? 0 : (row.places.keyOrder[index] ?? index) + prefixLength;
        keyOrder[r * capacity + slot] = order;
      }
      last[r] = r * length + Math.min(Math.max(0, count - 1), length - 1);
    });
    return [ids, ...streams, slots, keyOrder, last];
  }

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
    const { batch, capacity } = cache;
    return resident.session.compile((graph) => {
      const input = () => graph.placeholder([batch, length], 'int32');
      const ids = input();
      const positions = Array.from({ length: resident.model.streams }, input);
      const slots = input();
      const keyOrder = graph.placeholder([batch, capacity], 'int32');
      const last = graph.placeholder([batch], 'int32');
      const forward = BoundForward.create(resident, {
        graph,
        ops: graph,
        positions,
        mask: visibilityMask(graph, { query: slots, key: keyOrder }, null, resident.dtype),
        store: cache.store(graph, slots),
        adapter: readAdapter(graph, resident.adapter),
        seed: null,
      });
      const hidden = graph.gather(hiddenStates(resident, forward, ids), last);
      const logits = outputLogits(resident, forward, hidden);
      return { inputs: [ids, ...positions, slots, keyOrder, last], outputs: [logits], effects: [] };
    });
  }
}

function cancelAborted(rows: readonly Row[]): void {
  for (const row of rows) if (isOpen(row) && row.options.signal?.aborted) row.finishReason = 'cancelled';
}

function isOpen(row: Row): boolean {
  return row.finishReason === null;
}

/** Adds the next token to a row and closes it where it ends. */
function choose(row: Row, logits: Float32Array): void {
  const { ids, options, random } = row;
  const id = chooseToken(logits, ids, options.sampling, random);
  ids.push(id);
  if (options.stopIds.includes(id)) {
    row.finishReason = 'stop';
    return;
  }
  options.onToken?.(id);
  if (ids.length - row.promptLength >= row.room) row.finishReason = 'length';
}
