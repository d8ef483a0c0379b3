/** What the dataset room hands to the editor, the command line and the tokenizer. */

export type Role = 'system' | 'user' | 'assistant' | 'observation';

export interface Message {
  role: Role;
  content: string;
  /** Text on the role line: a tool's name on an assistant turn that calls it. */
  metadata?: string;
  /** False: this turn is context only; no label is computed for it. */
  loss?: boolean;
  /** Set on an assistant turn that calls a tool; `metadata` and `content` then hold ChatGLM3's writing of the call. */
  toolCall?: ToolCall;
}

export interface ToolCall {
  name: string;
  arguments: Record<string, unknown>;
}

/** A tool as ChatGLM3 and OpenAI describe it; kept as it stands in the file. */
export type ToolDescription = Record<string, unknown>;

/** A record in the one internal shape every file format is brought to. */
export type TrainingRecord =
  | {
      kind: 'conversation';
      messages: Message[];
      tools?: ToolDescription[];
      /** The row has a `history` column, and it is empty: THUDM's ChatGLM-6B script then writes `[Round 0]` all the same. */
      emptyHistory?: boolean;
    }
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

/**
 * An edit that mends the finding; `title` names a sentence in `src/text/findings`. Edits do not overlap and stand in
 * ascending order. An empty list means that the edits reach over many lines: `DocumentLinter.resolveFix` makes them.
 */
export interface TextFix {
  title: string;
  edits: TextFixEdit[];
  /** True: changes what is trained (deletes or rewrites content), so it is offered but never part of "fix all". */
  review?: boolean;
}

/** A replacement from `start` in the finding's line to `end` in the line `endLineOffset` (default 0) below it. */
export interface TextFixEdit {
  start: number;
  end: number;
  text: string;
  endLineOffset?: number;
}

/** A record with its place in the file; `line` is 1-based. */
export interface LocatedRecord {
  line: number;
  record: TrainingRecord;
}

/** A line of a dataset that cannot be trained on, with the finding that says why; `line` is 1-based. */
export interface DroppedLine {
  line: number;
  dropped: Finding;
}
