/** What the dataset room hands to the editor, the command line and the tokenizer. */

export type Role = 'system' | 'user' | 'assistant' | 'observation';

export interface Message {
  role: Role;
  content: string;
  /** Text on the role line: a tool's name on an assistant turn that calls it. */
  metadata?: string;
  /** False: this turn is context only; no label is computed for it. */
  loss?: boolean;
}

/** A tool as ChatGLM3 and OpenAI describe it; kept as it stands in the file. */
export type ToolDescription = Record<string, unknown>;

/** A record in the one internal shape every file format is brought to. */
export type TrainingRecord =
  | { kind: 'conversation'; messages: Message[]; tools?: ToolDescription[] }
  /** Plain text, every token trained. */
  | { kind: 'text'; text: string }
  /** Pre-tokenised; -100 in `labels` marks a token that is not trained; `labels` stands at the token itself, not shifted. */
  | { kind: 'tokens'; input_ids: number[]; labels: number[]; attention_mask?: number[] };

/** Ids of file formats (`detectFormat`). */
export type FormatId =
  | 'messages'
  | 'conversations'
  | 'sharegpt'
  | 'alpaca'
  | 'prompt-response'
  | 'query-response'
  | 'prompt-completion'
  | 'columns'
  | 'text'
  | 'tokens';

export type Severity = 'error' | 'warning' | 'information';

/** Stable rule id, shown as the diagnostic's code: `glm/json-syntax`. */
export type RuleId = `glm/${string}`;

/** One finding. `start` and `end` are UTF-16 columns in the line, `line` is 0-based. */
export interface Finding {
  rule: RuleId;
  severity: Severity;
  line: number;
  start: number;
  end: number;
  /** Which sentence of the rule (`src/text/findings`) and what to put into it. */
  message: string;
  args: Record<string, string | number>;
  related?: { line: number; message: string; args: Record<string, string | number> }[];
  fix?: TextFix;
}

/** An edit that mends the finding, as replacements in the same line; `title` names a sentence in `src/text/findings`. */
export interface TextFix {
  title: string;
  edits: { start: number; end: number; text: string }[];
}

/** A record with its place in the file; `line` is 1-based. */
export interface LocatedRecord {
  line: number;
  record: TrainingRecord;
}
