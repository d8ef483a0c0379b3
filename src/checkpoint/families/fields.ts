/** Typed access to the keys of a `config.json`. */
import { GlmError, type ConfigFault } from '../../protocol/errors';

/** Larger sizes than any model has; products of two of them are still exact. */
export const MAX_SIZE = 1 << 24;
export const MAX_LAYERS = 1024;

type Json = Readonly<Record<string, unknown>>;

/** `null` counts as absent, as it does in `transformers`. Every method throws `checkpoint.badConfig`. */
export class Fields {
  constructor(
    private readonly json: Json,
    private readonly file: string,
    /** Key of the object that holds these keys, with a dot, for messages. */
    private readonly path = '',
  ) {}

  fail(key: string, value: unknown, reason: ConfigFault): never {
    const shown = (JSON.stringify(value) ?? '').slice(0, 80);
    throw new GlmError('checkpoint.badConfig', {
      path: this.file,
      key: this.path + key,
      value: shown,
      reason,
    });
  }

  has(key: string): boolean {
    return Object.hasOwn(this.json, key) && this.json[key] !== null && this.json[key] !== undefined;
  }

  /** A whole number from 1 to `most`. */
  integer(key: string, most: number, fallback?: number): number {
    const value = this.value(key, fallback);
    if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > most) {
      this.fail(key, value, 'integer');
    }
    return value as number;
  }

  /** A finite number above zero. */
  number(key: string, fallback: number): number {
    const value = this.value(key, fallback);
    if (!Number.isFinite(value) || (value as number) <= 0) this.fail(key, value, 'number');
    return value as number;
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.value(key, fallback);
    if (typeof value !== 'boolean') this.fail(key, value, 'boolean');
    return value;
  }

  text(key: string, fallback: string): string {
    const value = this.value(key, fallback);
    if (typeof value !== 'string') this.fail(key, value, 'string');
    return value;
  }

  /** The keys of an object inside, or null where there is none. */
  object(key: string): Fields | null {
    if (!this.has(key)) return null;
    const value = this.json[key];
    if (typeof value !== 'object' || Array.isArray(value)) this.fail(key, value, 'object');
    return new Fields(value as Json, this.file, `${this.path}${key}.`);
  }

  /** A token id, the first one of a list, or null. */
  token(key: string): number | null {
    const found = this.value(key, null);
    const value: unknown = Array.isArray(found) ? (found[0] ?? null) : found;
    if (value === null) return null;
    if (!Number.isSafeInteger(value)) this.fail(key, found, 'token');
    // Older configurations write -1 for "none".
    return (value as number) < 0 ? null : (value as number);
  }

  /** A token id that the vocabulary has. */
  tokenBelow(key: string, vocabulary: number, fallback: number | undefined): number {
    const value = this.token(key) ?? fallback;
    if (value === undefined) this.fail(key, undefined, 'missing');
    if (value >= vocabulary) this.fail(key, value, 'token');
    return value;
  }

  /** Bits of the integers that the linear layers are stored as; 0: they are floating-point numbers. */
  quantizationBits(): 0 | 4 | 8 {
    const value = this.value('quantization_bit', 0);
    if (value !== 0 && value !== 4 && value !== 8) this.fail('quantization_bit', value, 'unsupported');
    return value;
  }

  /** The prefix encoder a checkpoint was trained with; no keys where there is none. */
  prefix(): { pre_seq_len?: number; prefix_projection?: boolean } {
    if (!this.has('pre_seq_len') || this.json.pre_seq_len === 0) return {};
    return {
      pre_seq_len: this.integer('pre_seq_len', MAX_SIZE),
      prefix_projection: this.boolean('prefix_projection', false),
    };
  }

  private value(key: string, fallback?: unknown): unknown {
    const value = this.has(key) ? this.json[key] : fallback;
    if (value === undefined) this.fail(key, undefined, 'missing');
    return value;
  }
}
