/** Everything a pickled state dict may consist of. */
import type { StoredDType } from '../types';

export class PickledTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

export class PickledList {
  readonly items: PickleValue[] = [];
}

/** A `dict` or an `OrderedDict`: pairs in the order they were set. */
export class PickledDict {
  readonly pairs: [key: PickleValue, value: PickleValue][] = [];
  constructor(readonly isOrdered: boolean) {}
}

/** One of the few names that are known; nothing is looked up or run. */
export class PickledGlobal {
  constructor(readonly name: string) {}
}

/** A member of the archive that holds values. */
export interface Storage {
  key: string;
  dtype: StoredDType;
  /** Number of values. */
  elements: number;
}

export class PickledStorage {
  constructor(readonly storage: Storage) {}
}

/** A view of a storage; offset and strides count values. */
export class PickledTensor {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickledTuple
  | PickledList
  | PickledDict
  | PickledGlobal
  | PickledStorage
  | PickledTensor;
