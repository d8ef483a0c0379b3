/** The syntax tree that `@huggingface/jinja` parses a template into. The package does not export these types. */
import { parse, tokenize } from '@huggingface/jinja';
import { TemplateFault } from './faults';

export interface Identifier {
  type: 'Identifier';
  value: string;
}

export type Parameter =
  Identifier | { type: 'KeywordArgumentExpression'; key: Identifier; value: Expression };

export interface CallNode {
  type: 'CallExpression';
  callee: Expression;
  args: Expression[];
}

export interface SliceNode {
  type: 'SliceExpression';
  start?: Expression;
  stop?: Expression;
  step?: Expression;
}

export interface MemberNode {
  type: 'MemberExpression';
  object: Expression;
  property: Expression;
  computed: boolean;
}

export type Expression =
  | Identifier
  | CallNode
  | MemberNode
  | SliceNode
  | { type: 'IntegerLiteral' | 'FloatLiteral'; value: number }
  | { type: 'StringLiteral'; value: string }
  | { type: 'ArrayLiteral' | 'TupleLiteral'; value: Expression[] }
  | { type: 'ObjectLiteral'; value: Map<Expression, Expression> }
  | { type: 'BinaryExpression'; operator: { value: string }; left: Expression; right: Expression }
  | { type: 'UnaryExpression'; operator: { value: string }; argument: Expression }
  | { type: 'FilterExpression'; operand: Expression; filter: Identifier | CallNode }
  | { type: 'TestExpression'; operand: Expression; negate: boolean; test: Identifier }
  | { type: 'SelectExpression'; lhs: Expression; test: Expression }
  | { type: 'Ternary'; condition: Expression; trueExpr: Expression; falseExpr: Expression }
  | { type: 'KeywordArgumentExpression'; key: Identifier; value: Expression }
  | { type: 'SpreadExpression' | 'KeywordSpreadExpression'; argument: Expression };

export interface ForNode {
  type: 'For';
  loopvar: Expression;
  iterable: Expression;
  body: Statement[];
  defaultBlock: Statement[];
}

export interface MacroNode {
  type: 'Macro';
  name: Identifier;
  args: Parameter[];
  body: Statement[];
}

export interface CallStatementNode {
  type: 'CallStatement';
  call: CallNode;
  callerArgs: Parameter[] | null;
  body: Statement[];
}

export interface SetNode {
  type: 'Set';
  assignee: Expression;
  value: Expression | null;
  body: Statement[];
}

export type Statement =
  | Expression
  | ForNode
  | MacroNode
  | CallStatementNode
  | SetNode
  | { type: 'If'; test: Expression; body: Statement[]; alternate: Statement[] }
  | { type: 'FilterStatement'; filter: Identifier | CallNode; body: Statement[] }
  | { type: 'Break' | 'Continue' | 'Comment' };

/** Longer than any chat template; the parser's expressions take quadratic time on long runs of spaces. */
const MAX_LENGTH = 256 * 1024;
const LONG_SPACE = /\s{500}/;

/**
 * Parses a chat template with the settings of transformers (`trim_blocks`, `lstrip_blocks`; `generation` tags are ignored).
 * @throws TemplateFault
 */
export function parseTemplate(source: string): Statement[] {
  if (source.length > MAX_LENGTH) throw new TemplateFault(`more than ${MAX_LENGTH} characters`);
  if (LONG_SPACE.test(source)) throw new TemplateFault('500 blanks in a row');
  try {
    const tokens = tokenize(source, { trim_blocks: true, lstrip_blocks: true });
    return parse(tokens).body as unknown as Statement[];
  } catch (error) {
    // A template that ends too early makes the parser read beyond its tokens.
    const isUnfinished = error instanceof TypeError;
    throw new TemplateFault(isUnfinished ? 'unexpected end of template' : messageOf(error));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Every constant text and name in a template, to see what it knows. */
export function vocabularyOf(program: readonly Statement[]): { texts: Set<string>; members: Set<string> } {
  const texts = new Set<string>();
  const members = new Set<string>();
  const pending: unknown[] = [...program];
  while (pending.length > 0) {
    const node = pending.pop();
    if (node instanceof Map) pending.push(...node.keys(), ...node.values());
    else if (Array.isArray(node)) pending.push(...(node as unknown[]));
    else if (typeof node === 'object' && node !== null) {
      note(node as Statement, texts, members);
      pending.push(...(Object.values(node) as unknown[]));
    }
  }
  return { texts, members };
}

function note(node: Statement, texts: Set<string>, members: Set<string>): void {
  if (node.type === 'StringLiteral') texts.add(node.value);
  if (node.type === 'MemberExpression') {
    const { property } = node;
    if (property.type === 'StringLiteral' || property.type === 'Identifier') members.add(property.value);
  }
  // message.get('tools')
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return;
  const [key] = node.args;
  const method = node.callee.property;
  if (method.type === 'Identifier' && method.value === 'get' && key?.type === 'StringLiteral') {
    members.add(key.value);
  }
}
