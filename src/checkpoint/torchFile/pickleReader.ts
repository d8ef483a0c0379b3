/**
 * An interpreter of the part of Python's pickle language that a state dict needs. It can build dicts, tuples, lists, text,
 * numbers, storages and tensors. Any other opcode or global is refused by name before anything is done with it: nothing in
 * the file is ever called.
 */
import { torchFault } from './fault';
import { ByteCursor } from './byteCursor';
import { reduce, resolveGlobal, resolveStorage } from './pickleObjects';
import { PickledDict, PickledList, PickledTuple, type PickleValue } from './pickleValues';
import { Opcode } from './storageTypes';

/** About 30 opcodes make a tensor: enough for 60 000 of them, and a bound of what a file can make us allocate. */
const MAX_STEPS = 2_000_000;
const MAX_DEPTH = 100;
const HIGHEST_PROTOCOL = 5;

/**
 * Interprets a pickle.
 * @param file is named in errors
 * @returns the pickled value; throws GlmError `checkpoint.badTorchFile`
 */
export function unpickle(bytes: Uint8Array, file: string): PickleValue {
  return new Unpickler(new ByteCursor(bytes, file), file).run();
}

class Unpickler {
  private readonly stack: PickleValue[] = [];
  /** Heights of the stack at each open MARK. */
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, PickleValue>();

  constructor(
    private readonly cursor: ByteCursor,
    private readonly file: string,
  ) {}

  run(): PickleValue {
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const code = this.cursor.uint8();
      if (code === Opcode.STOP) return this.result();
      this.step(code);
    }
    throw torchFault(this.file, 'limit');
  }

  private result(): PickleValue {
    if (this.stack.length !== 1 || this.marks.length > 0) throw this.damaged('STOP');
    return this.pop();
  }

  private step(code: number): void {
    if (this.pushConstant(code) || this.useMemo(code) || this.buildContainer(code)) return;
    switch (code) {
      case Opcode.PROTO:
        if (this.cursor.uint8() > HIGHEST_PROTOCOL) throw this.damaged('PROTO');
        return;
      case Opcode.FRAME:
        this.cursor.uint64();
        return;
      case Opcode.GLOBAL: {
        const module = this.cursor.line();
        this.push(resolveGlobal(`${module}.${this.cursor.line()}`, this.file));
        return;
      }
      case Opcode.STACK_GLOBAL: {
        const name = this.popText();
        this.push(resolveGlobal(`${this.popText()}.${name}`, this.file));
        return;
      }
      case Opcode.BINPERSID:
        this.push(resolveStorage(this.pop(), this.file));
        return;
      case Opcode.REDUCE: {
        const args = this.pop();
        this.push(reduce(this.pop(), args, this.file));
        return;
      }
      case Opcode.BUILD:
        this.build();
        return;
      default:
        throw this.refused(code);
    }
  }

  private pushConstant(code: number): boolean {
    switch (code) {
      case Opcode.NONE:
        return this.push(null);
      case Opcode.NEWTRUE:
        return this.push(true);
      case Opcode.NEWFALSE:
        return this.push(false);
      case Opcode.BININT1:
        return this.push(this.cursor.uint8());
      case Opcode.BININT2:
        return this.push(this.cursor.uint16());
      case Opcode.BININT:
        return this.push(this.cursor.int32());
      case Opcode.LONG1:
        return this.push(this.cursor.long());
      case Opcode.BINFLOAT:
        return this.push(this.cursor.float64());
      case Opcode.SHORT_BINUNICODE:
        return this.push(this.cursor.text(this.cursor.uint8()));
      case Opcode.BINUNICODE:
        return this.push(this.cursor.text(this.cursor.uint32()));
      case Opcode.BINUNICODE8:
        return this.push(this.cursor.text(this.cursor.uint64()));
      default:
        return false;
    }
  }

  private useMemo(code: number): boolean {
    switch (code) {
      case Opcode.BINPUT:
        return this.remember(this.cursor.uint8());
      case Opcode.LONG_BINPUT:
        return this.remember(this.cursor.uint32());
      case Opcode.MEMOIZE:
        return this.remember(this.memo.size);
      case Opcode.BINGET:
        return this.recall(this.cursor.uint8());
      case Opcode.LONG_BINGET:
        return this.recall(this.cursor.uint32());
      default:
        return false;
    }
  }

  private buildContainer(code: number): boolean {
    switch (code) {
      case Opcode.MARK:
        if (this.marks.length >= MAX_DEPTH) throw torchFault(this.file, 'limit');
        this.marks.push(this.stack.length);
        return true;
      case Opcode.EMPTY_DICT:
        return this.push(new PickledDict(false));
      case Opcode.EMPTY_LIST:
        return this.push(new PickledList());
      case Opcode.EMPTY_TUPLE:
        return this.push(new PickledTuple([]));
      case Opcode.TUPLE1:
        return this.push(new PickledTuple(this.popMany(1)));
      case Opcode.TUPLE2:
        return this.push(new PickledTuple(this.popMany(2)));
      case Opcode.TUPLE3:
        return this.push(new PickledTuple(this.popMany(3)));
      case Opcode.TUPLE:
        return this.push(new PickledTuple(this.popToMark()));
      case Opcode.APPEND:
        return this.append(this.popMany(1));
      case Opcode.APPENDS:
        return this.append(this.popToMark());
      case Opcode.SETITEM:
        return this.setItems(this.popMany(2));
      case Opcode.SETITEMS:
        return this.setItems(this.popToMark());
      default:
        return false;
    }
  }

  private append(items: readonly PickleValue[]): true {
    const list = this.stack.at(-1);
    if (!(list instanceof PickledList)) throw this.damaged('APPEND');
    for (const item of items) list.items.push(item);
    return true;
  }

  private setItems(items: readonly PickleValue[]): true {
    const dict = this.stack.at(-1);
    if (!(dict instanceof PickledDict) || items.length % 2 !== 0) throw this.damaged('SETITEM');
    for (let at = 0; at < items.length; at += 2) dict.pairs.push([items[at], items[at + 1]]);
    return true;
  }

  /** A state dict carries its `_metadata` (versions of modules) as an attribute; it says nothing about tensors. */
  private build(): void {
    const state = this.pop();
    const target = this.stack.at(-1);
    if (!(target instanceof PickledDict && target.isOrdered && state instanceof PickledDict)) {
      throw torchFault(this.file, 'opcode', 'BUILD');
    }
  }

  private remember(index: number): true {
    if (this.stack.length === 0) throw this.damaged('PUT');
    this.memo.set(index, this.stack[this.stack.length - 1]);
    return true;
  }

  private recall(index: number): true {
    const value = this.memo.get(index);
    if (value === undefined) throw this.damaged('GET');
    return this.push(value);
  }

  private push(value: PickleValue): true {
    this.stack.push(value);
    return true;
  }

  private pop(): PickleValue {
    return this.popMany(1)[0];
  }

  private popText(): string {
    const value = this.pop();
    if (typeof value !== 'string') throw this.damaged('STACK_GLOBAL');
    return value;
  }

  /** The last values, in the order they were pushed; none from below the last MARK. */
  private popMany(count: number): PickleValue[] {
    if (this.stack.length - count < (this.marks.at(-1) ?? 0)) throw this.damaged('stack');
    return this.stack.splice(this.stack.length - count);
  }

  private popToMark(): PickleValue[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.damaged('MARK');
    return this.stack.splice(mark);
  }

  private refused(code: number): Error {
    const INST = 0x69;
    // The one other opcode that names what it would call.
    if (code === INST) {
      const module = this.cursor.line();
      return torchFault(this.file, 'global', `${module}.${this.cursor.line()}`);
    }
    const isPrintable = code > 0x20 && code < 0x7f;
    return torchFault(
      this.file,
      'opcode',
      isPrintable ? String.fromCharCode(code) : `0x${code.toString(16)}`,
    );
  }

  private damaged(where: string): Error {
    return torchFault(this.file, 'pickle', where);
  }
}
