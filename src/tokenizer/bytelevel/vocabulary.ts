import { PairMap } from '../sentencepiece/pairMap';

/** A merge of two neighbouring tokens; the one with the lowest `order` comes first. */
export interface MergeRules {
  /** (left id, right id) -> order of the merge, -1 where the two do not merge. */
  readonly pairs: PairMap;
  /** Id of the token that a merge makes, by its order; null: the order is the id. */
  readonly results: Int32Array | null;
}

/** Tokens of a byte-level vocabulary. Bytes are kept as strings of U+0000 to U+00FF, which hash quickly. */
export class ByteVocabulary {
  readonly size: number;
  readonly ids: ReadonlyMap<string, number>;
  /** Number of bytes of each token. */
  readonly byteLengths: Int32Array;
  /** Token of each single byte. */
  readonly byteIds: Int32Array;

  /**
   * @param tokens bytes of every token by id, without holes and repetitions
   * @throws RangeError if one of the 256 single bytes is missing
   */
  constructor(readonly tokens: readonly string[]) {
    this.size = tokens.length;
    this.ids = new Map(tokens.map((bytes, id) => [bytes, id]));
    this.byteLengths = Int32Array.from(tokens, (bytes) => bytes.length);
    this.byteIds = Int32Array.from({ length: 256 }, (_, byte) => {
      const id = this.ids.get(String.fromCharCode(byte));
      if (id === undefined) throw new RangeError(`No token for the byte ${byte}`);
      return id;
    });
  }

  /** The bytes of a token. */
  bytes(id: number): Uint8Array {
    return Buffer.from(this.tokens[id], 'latin1');
  }
}

/** tiktoken's rule: any two neighbours merge whose bytes together are a token, the token with the lowest id first. */
export function mergesByRank(vocabulary: ByteVocabulary): MergeRules {
  const { tokens, ids } = vocabulary;
  const pairs = new PairMap(tokens.length * 2);
  for (const [id, bytes] of tokens.entries()) {
    for (let split = 1; split < bytes.length; split++) {
      const left = ids.get(bytes.slice(0, split));
      if (left === undefined) continue;
      const right = ids.get(bytes.slice(split));
      if (right !== undefined) pairs.set(left, right, id);
    }
  }
  return { pairs, results: null };
}
