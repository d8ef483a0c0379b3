import { TemplateFault, type Budget } from './faults';
import { applyFilter } from './filters';
import { Marked } from './marked';
import { methodOf } from './methods';
import type { CallNode, Expression, Identifier, MemberNode, SliceNode } from './nodes';
import { binary, sliceOf, trusted } from './operators';
import { runTest } from './tests';
import {
  Callable,
  characters,
  Dict,
  isList,
  isTrue,
  itemsOf,
  Namespace,
  numberArgument,
  typeName,
  type Arguments,
  type Value,
} from './values';

/** Names and their values; a loop, a macro and a block have their own, which see those around them. */
export class Scope {
  private readonly values = new Map<string, Value>();

  constructor(private readonly parent: Scope | null = null) {}

  get(name: string): Value {
    return this.values.has(name) ? this.values.get(name) : this.parent?.get(name);
  }

  set(name: string, value: Value): void {
    this.values.set(name, value);
  }
}

/** Evaluates the expressions of a template. */
export class Expressions {
  constructor(protected readonly budget: Budget) {}

  evaluate(node: Expression, scope: Scope): Value {
    this.budget.step();
    return this.budget.nested(() => this.evaluateNode(node, scope));
  }

  private evaluateNode(node: Expression, scope: Scope): Value {
    switch (node.type) {
      case 'IntegerLiteral':
      case 'FloatLiteral':
        return node.value;
      case 'StringLiteral':
        return trusted(node.value);
      case 'Identifier':
        return scope.get(node.value);
      case 'ArrayLiteral':
      case 'TupleLiteral':
        return node.value.map((item) => this.evaluate(item, scope));
      case 'ObjectLiteral':
        return new Dict(
          new Map([...node.value].map(([key, value]) => [this.key(key, scope), this.evaluate(value, scope)])),
        );
      case 'MemberExpression':
        return this.member(node, scope);
      case 'CallExpression':
        return this.call(node, scope);
      case 'BinaryExpression':
        return this.binary(node.operator.value, node.left, node.right, scope);
      case 'UnaryExpression':
        return this.unary(node.operator.value, this.evaluate(node.argument, scope));
      case 'FilterExpression':
        return this.filter(node.filter, this.evaluate(node.operand, scope), scope);
      case 'TestExpression':
        return runTest(node.test.value, this.evaluate(node.operand, scope), undefined) !== node.negate;
      case 'Ternary':
        return this.evaluate(
          isTrue(this.evaluate(node.condition, scope)) ? node.trueExpr : node.falseExpr,
          scope,
        );
      case 'SelectExpression':
        return isTrue(this.evaluate(node.test, scope)) ? this.evaluate(node.lhs, scope) : undefined;
      default:
        throw new TemplateFault(`the expression ${node.type}`);
    }
  }

  /** Applies a filter that is written as a name or with arguments. */
  protected filter(filter: Identifier | CallNode, operand: Value, scope: Scope): Value {
    if (filter.type === 'Identifier') {
      return applyFilter(filter.value, operand, { list: [], named: new Map() }, this.budget);
    }
    if (filter.callee.type !== 'Identifier') throw new TemplateFault('a filter without a name');
    return applyFilter(filter.callee.value, operand, this.arguments(filter.args, scope), this.budget);
  }

  protected call(node: CallNode, scope: Scope): Value {
    const target = this.evaluate(node.callee, scope);
    if (!(target instanceof Callable)) throw new TemplateFault(`calling a ${typeName(target)}`);
    return target.call(this.arguments(node.args, scope));
  }

  protected arguments(args: readonly Expression[], scope: Scope): Arguments {
    const list: Value[] = [];
    const named = new Map<string, Value>();
    for (const arg of args) {
      if (arg.type === 'KeywordArgumentExpression') named.set(arg.key.value, this.evaluate(arg.value, scope));
      else if (arg.type === 'SpreadExpression') list.push(...itemsOf(this.evaluate(arg.argument, scope)));
      else list.push(this.evaluate(arg, scope));
    }
    return { list, named };
  }

  private binary(operator: string, left: Expression, right: Expression, scope: Scope): Value {
    const value = this.evaluate(left, scope);
    if (operator === 'and') return isTrue(value) ? this.evaluate(right, scope) : value;
    if (operator === 'or') return isTrue(value) ? value : this.evaluate(right, scope);
    return binary(operator, value, this.evaluate(right, scope), this.budget);
  }

  private unary(operator: string, value: Value): Value {
    if (operator === 'not') return !isTrue(value);
    const number = numberArgument(value, `"${operator}"`);
    return operator === '-' ? -number : number;
  }

  private key(node: Expression, scope: Scope): string {
    const key = this.evaluate(node, scope);
    if (key instanceof Marked) return key.text;
    throw new TemplateFault(`a dictionary key that is a ${typeName(key)}`);
  }

  private member(node: MemberNode, scope: Scope): Value {
    const object = this.evaluate(node.object, scope);
    const { property } = node;
    if (node.computed && property.type === 'SliceExpression') return this.slice(object, property, scope);
    const key = node.computed
      ? this.evaluate(property, scope)
      : property.type === 'Identifier'
        ? trusted(property.value)
        : this.evaluate(property, scope);
    if (key instanceof Marked) {
      // As in Jinja, an attribute hides an entry only where it is asked for with a dot.
      if (object instanceof Dict) {
        const entry = object.get(key.text);
        const method =
          entry === undefined || !node.computed ? methodOf(object, key.text, this.budget) : undefined;
        return method ?? entry;
      }
      if (object instanceof Namespace) return object.entries.get(key.text);
      return methodOf(object, key.text, this.budget);
    }
    const index = numberArgument(key, 'an index');
    if (isList(object)) return object.at(index);
    if (object instanceof Marked) return characters(object).at(index);
    throw new TemplateFault(`an index into a ${typeName(object)}`);
  }

  private slice(object: Value, node: SliceNode, scope: Scope): Value {
    const bound = (part: Expression | undefined): number | null => {
      const value = part === undefined ? null : this.evaluate(part, scope);
      return value === null || value === undefined ? null : numberArgument(value, 'a slice');
    };
    const [start, stop, step] = [bound(node.start), bound(node.stop), bound(node.step) ?? 1];
    this.budget.step(itemsOf(object).length);
    if (object instanceof Marked) {
      const parts = sliceOf(characters(object), start, stop, step);
      return parts.reduce((text, part) => text.plus(part), Marked.EMPTY);
    }
    return sliceOf(itemsOf(object), start, stop, step);
  }
}
