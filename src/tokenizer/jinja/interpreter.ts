import { Expressions, Scope } from './expressions';
import { Budget, LIMITS, TemplateFault, type Limits } from './faults';
import { globals } from './globals';
import { Marked, TEMPLATE, templateMark } from './marked';
import type {
  CallStatementNode,
  Expression,
  ForNode,
  MacroNode,
  Parameter,
  SetNode,
  Statement,
} from './nodes';
import {
  Callable,
  Dict,
  isList,
  isTrue,
  itemsOf,
  Namespace,
  toText,
  typeName,
  type Arguments,
  type Value,
} from './values';

/** What a list of statements ended with: the next round, the end of the loop, or nothing special. */
type Flow = 'break' | 'continue' | null;

/** A stretch of output and whether it ended early. */
interface Output {
  text: Marked;
  flow: Flow;
}

/**
 * Renders a parsed chat template. Every character of the result says where it comes from: from the template itself, from a
 * message, or from other data; the template's own text within a loop over messages belongs to the message of that round.
 */
export class Interpreter extends Expressions {
  /** The message whose round of a loop is being rendered. */
  private message: number | null = null;

  constructor(limits: Limits = LIMITS) {
    super(new Budget(limits));
  }

  /** @throws TemplateFault */
  render(program: readonly Statement[], variables: ReadonlyMap<string, Value>): Marked {
    const scope = new Scope();
    for (const [name, value] of globals(this.budget)) scope.set(name, value);
    for (const [name, value] of variables) scope.set(name, value);
    try {
      return this.block(program, scope).text;
    } catch (error) {
      // The stack ends before the depth limit only where a filter goes through nested data.
      if (error instanceof RangeError) throw new TemplateFault('nested too deeply');
      throw error;
    }
  }

  private block(statements: readonly Statement[], scope: Scope): Output {
    const texts: string[] = [];
    const marks: string[] = [];
    let flow: Flow = null;
    for (const statement of statements) {
      this.budget.step();
      const output = this.budget.nested(() => this.statement(statement, scope));
      if (output.text.length > 0) {
        this.budget.text(output.text.length);
        texts.push(output.text.text);
        marks.push(output.text.marks);
      }
      flow = output.flow;
      if (flow !== null) break;
    }
    return { text: new Marked(texts.join(''), marks.join('')), flow };
  }

  private statement(node: Statement, scope: Scope): Output {
    switch (node.type) {
      case 'Comment':
        return NOTHING;
      case 'If':
        return this.block(isTrue(this.evaluate(node.test, scope)) ? node.body : node.alternate, scope);
      case 'For':
        return { text: this.loop(node, scope), flow: null };
      case 'Set':
        this.assign(node, scope);
        return NOTHING;
      case 'Macro':
        scope.set(node.name.value, this.macro(node, scope));
        return NOTHING;
      case 'CallStatement':
        return this.emit(this.callBlock(node, scope));
      case 'FilterStatement':
        return this.emit(this.filter(node.filter, this.block(node.body, scope).text, scope));
      case 'Break':
        return { text: Marked.EMPTY, flow: 'break' };
      case 'Continue':
        return { text: Marked.EMPTY, flow: 'continue' };
      default:
        return this.emit(this.evaluate(node, scope));
    }
  }

  /** The template's own text is given to the message of the present round. */
  private emit(value: Value): Output {
    const text = toText(value);
    const own = templateMark(this.message);
    if (own === TEMPLATE || !text.marks.includes(TEMPLATE_UNIT)) return { text, flow: null };
    return {
      text: new Marked(text.text, text.marks.replaceAll(TEMPLATE_UNIT, String.fromCharCode(own))),
      flow: null,
    };
  }

  private loop(node: ForNode, scope: Scope): Marked {
    const isFiltered = node.iterable.type === 'SelectExpression';
    const source = node.iterable.type === 'SelectExpression' ? node.iterable.lhs : node.iterable;
    const test = node.iterable.type === 'SelectExpression' ? node.iterable.test : null;
    let items = itemsOf(this.evaluate(source, scope));
    this.budget.step(items.length);
    if (isFiltered && test) {
      items = items.filter((item) => {
        const inner = new Scope(scope);
        this.bind(node.loopvar, item, inner);
        return isTrue(this.evaluate(test, inner));
      });
    }
    if (items.length === 0) return this.block(node.defaultBlock, scope).text;
    const outputs: Marked[] = [];
    const around = this.message;
    for (const [index, item] of items.entries()) {
      this.budget.step(ROUND_STEPS);
      const inner = new Scope(scope);
      this.bind(node.loopvar, item, inner);
      inner.set('loop', loopVariables(items, index));
      if (item instanceof Dict && item.message !== null) this.message = item.message;
      const { text, flow } = this.block(node.body, inner);
      this.message = around;
      outputs.push(text);
      if (flow === 'break') break;
    }
    return new Marked(outputs.map((part) => part.text).join(''), outputs.map((part) => part.marks).join(''));
  }

  private assign(node: SetNode, scope: Scope): void {
    const value = node.value ? this.evaluate(node.value, scope) : this.block(node.body, scope).text;
    const { assignee } = node;
    if (assignee.type === 'MemberExpression') {
      const target = this.evaluate(assignee.object, scope);
      if (!(target instanceof Namespace) || assignee.property.type !== 'Identifier') {
        throw new TemplateFault(`setting an attribute of a ${typeName(target)}`);
      }
      target.entries.set(assignee.property.value, value);
      return;
    }
    // `set message = messages[i]` within a loop over numbers.
    if (value instanceof Dict && value.message !== null && scope.get('loop') !== undefined) {
      this.message = value.message;
    }
    this.bind(assignee, value, scope);
  }

  private bind(target: Expression, value: Value, scope: Scope): void {
    if (target.type === 'Identifier') {
      scope.set(target.value, value);
      return;
    }
    if (target.type !== 'TupleLiteral') throw new TemplateFault(`setting ${target.type}`);
    const items = isList(value) ? value : [];
    if (items.length !== target.value.length) throw new TemplateFault(`unpacking a ${typeName(value)}`);
    for (const [index, name] of target.value.entries()) this.bind(name, items[index], scope);
  }

  private macro(node: MacroNode, scope: Scope): Callable {
    return new Callable((args) => {
      const inner = new Scope(scope);
      this.bindParameters(node.args, args, inner);
      return this.block(node.body, inner).text;
    });
  }

  private callBlock(node: CallStatementNode, scope: Scope): Value {
    const target = this.evaluate(node.call.callee, scope);
    if (!(target instanceof Callable)) throw new TemplateFault(`calling a ${typeName(target)}`);
    const caller = new Callable((args) => {
      const inner = new Scope(scope);
      this.bindParameters(node.callerArgs ?? [], args, inner);
      return this.block(node.body, inner).text;
    });
    const args = this.arguments(node.call.args, scope);
    return target.call({ list: args.list, named: new Map([...args.named, ['caller', caller]]) });
  }

  private bindParameters(parameters: readonly Parameter[], { list, named }: Arguments, scope: Scope): void {
    for (const [index, parameter] of parameters.entries()) {
      const name = parameter.type === 'Identifier' ? parameter.value : parameter.key.value;
      const given = list[index] ?? named.get(name);
      const isMissing = given === undefined && parameter.type === 'KeywordArgumentExpression';
      scope.set(name, isMissing ? this.evaluate(parameter.value, scope) : given);
    }
    scope.set('caller', named.get('caller'));
  }
}

/** A round of a loop costs as much as this many simple steps: it has names of its own. */
const ROUND_STEPS = 10;

const NOTHING: Output = { text: Marked.EMPTY, flow: null };
const TEMPLATE_UNIT = String.fromCharCode(TEMPLATE);

function loopVariables(items: readonly Value[], index: number): Dict {
  const { length } = items;
  return new Dict(
    new Map<string, Value>([
      ['index', index + 1],
      ['index0', index],
      ['revindex', length - index],
      ['revindex0', length - index - 1],
      ['first', index === 0],
      ['last', index === length - 1],
      ['length', length],
      ['previtem', items[index - 1]],
      ['nextitem', items[index + 1]],
    ]),
  );
}
