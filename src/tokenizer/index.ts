/** Tokenizers, chat templates and label masks. */
export { labelView, type LabelledToken, type LabelView } from './labelView';
export { loadTokenizer, type LoadTokenizerOptions } from './load';
export { parseAnswer, type AnswerPart, type ParsedAnswer } from './templates/chatglm3Answer';
export type { ToolArguments, ToolValue } from './templates/toolCall';
export { TEMPLATE_IDS } from './types';
export type * from './types';
