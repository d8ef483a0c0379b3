/** Every lint rule. A new one is a file of its own and a line here; `test/unit/dataset/rules` checks the completeness. */
import type { ProblemCode } from '../formats/problem';
import type { SyntaxCause } from '../jsonl/syntax';
import { arrayFile } from './arrayFile';
import { arrayRecord } from './arrayRecord';
import { blankLine } from './blankLine';
import { bom } from './bom';
import { comment } from './comment';
import { controlCharacter } from './controlCharacter';
import { controlToken } from './controlToken';
import { duplicateKey } from './duplicateKey';
import { duplicateRecord } from './duplicateRecord';
import { emptyAnswer } from './emptyAnswer';
import { encoding } from './encoding';
import { fullwidthPunctuation } from './fullwidthPunctuation';
import { jsonSyntax } from './jsonSyntax';
import { loneSurrogate } from './loneSurrogate';
import { missingField } from './missingField';
import { mixedShape } from './mixedShape';
import { multiLineRecord } from './multiLineRecord';
import { noAssistant } from './noAssistant';
import { placeholder } from './placeholder';
import { pythonLiteral } from './pythonLiteral';
import { roleOrder } from './roleOrder';
import type { FileRule, ProblemRule, RecordRule, Rule, SyntaxRule, TextRule } from './rule';
import { tokenRow } from './tokenRow';
import { toolShape } from './toolShape';
import { trailingComma } from './trailingComma';
import { truncatedRecord } from './truncatedRecord';
import { twoRecords } from './twoRecords';
import { unescapedQuote } from './unescapedQuote';
import { unknownFile } from './unknownFile';
import { unknownRole } from './unknownRole';
import { unknownShape } from './unknownShape';
import { wrongType } from './wrongType';

/** `bom` sees lines that begin with one, `blankLine` lines of white space. */
export const TEXT_RULES = { bom, blankLine } satisfies Record<string, TextRule>;

export const BYTE_RULE = encoding;

export const SYNTAX_RULES: readonly SyntaxRule[] = [
  trailingComma,
  unescapedQuote,
  fullwidthPunctuation,
  pythonLiteral,
  comment,
  twoRecords,
  truncatedRecord,
  controlCharacter,
  jsonSyntax,
];

export const PROBLEM_RULES: readonly ProblemRule[] = [
  unknownShape,
  arrayRecord,
  missingField,
  wrongType,
  emptyAnswer,
  unknownRole,
  roleOrder,
  noAssistant,
  toolShape,
  tokenRow,
];

export const RECORD_RULES: readonly RecordRule[] = [duplicateKey, loneSurrogate, controlToken, placeholder];

/** In this order: the first ones hide what they explain. */
export const FILE_RULES: readonly FileRule[] = [
  arrayFile,
  multiLineRecord,
  unknownFile,
  mixedShape,
  duplicateRecord,
];

export const RULES: readonly Rule[] = [
  ...Object.values(TEXT_RULES),
  BYTE_RULE,
  ...SYNTAX_RULES,
  ...PROBLEM_RULES,
  ...RECORD_RULES,
  ...FILE_RULES,
];

const syntaxRules = new Map<SyntaxCause, SyntaxRule>(
  SYNTAX_RULES.flatMap((rule) => rule.causes.map((cause) => [cause, rule] as const)),
);
const problemRules = new Map<ProblemCode, ProblemRule>(
  PROBLEM_RULES.flatMap((rule) => rule.codes.map((code) => [code, rule] as const)),
);

export function syntaxRule(cause: SyntaxCause): SyntaxRule {
  return syntaxRules.get(cause) ?? jsonSyntax;
}

export function problemRule(code: ProblemCode): ProblemRule {
  return problemRules.get(code) ?? unknownShape;
}
