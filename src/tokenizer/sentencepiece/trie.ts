import { PairMap } from './pairMap';

/** A trie over UTF-16 code units whose keys carry a number. */
export class Trie {
  private readonly edges: PairMap;
  private readonly valueOf: number[] = [-1];

  constructor(entries: Iterable<readonly [text: string, value: number]>) {
    const list = [...entries];
    this.edges = new PairMap(list.reduce((sum, [text]) => sum + text.length, 0));
    for (const [text, value] of list) {
      let node = 0;
      for (let index = 0; index < text.length; index++) {
        let next = this.edges.get(node, text.charCodeAt(index));
        if (next < 0) {
          next = this.valueOf.length;
          this.edges.set(node, text.charCodeAt(index), next);
          this.valueOf.push(-1);
        }
        node = next;
      }
      this.valueOf[node] = value;
    }
  }

  /** The node reached from `node` (0 is the root) by a code unit, or -1. */
  step(node: number, unit: number): number {
    return this.edges.get(node, unit);
  }

  /** The number of the key that ends at a node, or -1. */
  value(node: number): number {
    return this.valueOf[node];
  }

  /** Length of the longest key that begins at `start`, 0 if there is none. */
  longestMatch(text: string, start: number): number {
    let node = 0;
    let length = 0;
    for (let index = start; index < text.length; index++) {
      node = this.edges.get(node, text.charCodeAt(index));
      if (node < 0) break;
      if (this.valueOf[node] >= 0) length = index - start + 1;
    }
    return length;
  }
}
