/** Token by token generation with a key/value cache, one or several rows at a time. */
import { bindPrefix } from '../adapters/binding';
import { readAdapter } from '../adapters/residentAdapter';
import type { Program } from '../backend/session';
import type { Places } from '../glm/model';
import { Random } from '../random';
import type { ResidentModel } from '../residentModel';
import { placesOf } from '../sequence';
import { bucketCapacity, bucketLength, bucketVisible } from '../shapes';
import type { GenerateOptions, Generation } from '../types';
import { compileDecodeStep, enclosesLayers } from './decodeStep';
import { KeyValueCache } from './keyValueCache';
import { compilePromptPiece } from './promptPiece';
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

/** What one run takes in. */
interface Piece {
  /** Tokens of each row. */
  length: number;
  /** Slots that attention looks at. */
  visible: number;
  feeds: Int32Array[];
}

export class Generator {
  private cache: KeyValueCache | null = null;
  private programs = new Map<string, Program>();
  /** Ids whose keys and values are in the cache of a single row: a prompt that begins with them starts after them. */
  private cached: number[] = [];

  /** `isEnclosed`: see `enclosesLayers`. */
  constructor(
    private readonly resident: ResidentModel,
    private readonly isEnclosed = enclosesLayers(resident),
  ) {}

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
      const rows = cache.rows(graph, graph.constant(slots, [cache.batch, prefixLength], 'int32'));
      const effects = layers.flatMap((entries, layer) => cache.write(graph, layer, rows, entries));
      return { inputs: [], outputs: [], effects };
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
      const piece = this.piece(rows, starts, done, longest === 1 ? 1 : bucketLength(longest));
      const [logits] = (await this.program(piece).run(piece.feeds)) as Float32Array[];
      pending.forEach((count, i) => {
        const last = count - 1 - done;
        if (last >= 0 && last < this.pieceLength)
          result[i] = logits.subarray(i * vocabSize, (i + 1) * vocabSize);
      });
    }
    this.cached = rows.length === 1 ? [...rows[0].ids] : [];
    return result;
  }

  /** The next `length` ids of every row, and what there is to see for them. */
  private piece(rows: readonly Row[], starts: readonly number[], done: number, length: number): Piece {
    const { prefixLength, model } = this.resident;
    const { capacity } = this.cache!;
    const ids = new Int32Array(rows.length * length);
    const streams = Array.from({ length: model.streams }, () => new Int32Array(rows.length * length));
    const slots = new Int32Array(rows.length * length);
    let end = 0;
    rows.forEach((row, r) => {
      const from = starts[r] + done;
      for (let t = 0; t < length; t++) {
        const at = r * length + t;
        ids[at] = row.ids[from + t] ?? 0;
        streams.forEach((stream, s) => {
          stream[at] = row.places.streams[s][from + t] ?? 0;
        });
        slots[at] = Math.min(prefixLength + from + t, capacity - 1);
      }
      end = Math.max(end, slots[(r + 1) * length - 1] + 1);
    });
    const visible = bucketVisible(end, capacity);
    const feeds: Int32Array[] = [ids, ...streams, slots];
    if (length > 1) feeds.push(this.keyOrders(rows, visible), lastTokens(rows, starts, done, length));
    return { length, visible, feeds };
  }

  /** Of the first `visible` slots of every row. */
  private keyOrders(rows: readonly Row[], visible: number): Int32Array {
    const { prefixLength } = this.resident;
    const orders = new Int32Array(rows.length * visible);
    rows.forEach(({ places }, r) => {
      for (let slot = prefixLength; slot < visible; slot++) {
        const index = slot - prefixLength;
        orders[r * visible + slot] = (places.keyOrder[index] ?? index) + prefixLength;
      }
    });
    return orders;
  }

  private program({ length, visible }: Piece): Program {
    const { resident, cache } = this;
    if (!cache) throw new Error('no cache was reserved');
    const key = `${length},${visible}`;
    let program = this.programs.get(key);
    if (!program) {
      program =
        length === 1
          ? compileDecodeStep(resident, { cache, visible, isEnclosed: this.isEnclosed })
          : compilePromptPiece(resident, { cache, visible, length });
      this.programs.set(key, program);
    }
    return program;
  }
}

function cancelAborted(rows: readonly Row[]): void {
  for (const row of rows) if (isOpen(row) && row.options.signal?.aborted) row.finishReason = 'cancelled';
}

/** Index of each row's last token among the flat [b · length] ones of a piece. */
function lastTokens(
  rows: readonly Row[],
  starts: readonly number[],
  done: number,
  length: number,
): Int32Array {
  return Int32Array.from(rows, ({ ids }, r) => {
    const count = Math.max(0, Math.min(length, ids.length - starts[r] - done));
    return r * length + Math.max(0, count - 1);
  });
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
