/**
 * Errors a person can cause. A room throws a code and its arguments; the sentence and the remedy are made in `src/text`,
 * in the reader's language. Each room adds its codes to its own interface below.
 */

/** What is wrong with the header of a safetensors file as a whole. */
export type HeaderFault = 'short' | 'gitLfs' | 'length' | 'json' | 'metadata' | 'trailing';
/** What is wrong with one tensor of a safetensors file. */
export type TensorFault =
  | 'duplicate'
  | 'dtype'
  | 'shape'
  | 'offsets'
  | 'size'
  | 'overlap'
  | 'gap'
  | 'notFloat'
  | 'nonFinite'
  | 'strides'
  | 'storage'
  | 'packed';
/** What is wrong with a file in torch's format (`pytorch_model.bin`) as a whole. */
export type TorchFileFault =
  | 'gitLfs'
  | 'legacy'
  | 'script'
  | 'notZip'
  | 'noDirectory'
  | 'directory'
  | 'duplicate'
  | 'overlap'
  | 'compressed'
  | 'encrypted'
  | 'byteOrder'
  | 'noStateDict'
  | 'pickle'
  | 'opcode'
  | 'global'
  | 'notTensors'
  | 'limit';
/** What is wrong with one key of `config.json` or `adapter_config.json`. */
export type ConfigFault =
  | 'missing'
  | 'integer'
  | 'boolean'
  | 'number'
  | 'fraction'
  | 'string'
  | 'list'
  | 'divides'
  | 'multipleOf4'
  | 'multipleOfHeads'
  | 'rotary'
  | 'object'
  | 'unsupported'
  | 'token';
/** Networks that are recognised and refused. */
export type UnsupportedArchitecture = 'glm-2021' | 'vision' | 'foreign';

/** Codes of `checkpoint/`. `file` is a path as the user knows it. */
export interface CheckpointErrors {
  'checkpoint.notFound': { path: string };
  'checkpoint.noConfig': { path: string };
  'checkpoint.noWeights': { path: string };
  'checkpoint.missingFile': { path: string };
  'checkpoint.notAFile': { path: string };
  'checkpoint.badJson': { path: string; detail: string };
  'checkpoint.badConfig': { path: string; key: string; value: string; reason: ConfigFault };
  'checkpoint.unsupportedArchitecture': {
    path: string;
    architecture: UnsupportedArchitecture;
    modelType: string;
  };
  'checkpoint.badIndex': { path: string; detail: string };
  'checkpoint.missingShard': { path: string; shard: string };
  'checkpoint.notInShard': { path: string; tensor: string; shard: string };
  /** Sizes in bytes. */
  'checkpoint.truncated': { file: string; bytes: number; expected: number };
  'checkpoint.badHeader': { file: string; reason: HeaderFault; detail: string };
  'checkpoint.badTensor': { file: string; tensor: string; reason: TensorFault; detail: string };
  /** `detail`: name of the member, object, opcode or tensor that is at fault. */
  'checkpoint.badTorchFile': { file: string; reason: TorchFileFault; detail: string };
  'checkpoint.noTensor': { file: string; tensor: string };
  /** `problems`: JSON list of `ModelProblem` (`src/checkpoint/modelDoctor.ts`), at most 20; `count` is the number of all. */
  'checkpoint.doesNotFit': { path: string; of: 'model' | 'adapter'; count: number; problems: string };
  /** `findings`: JSON list of `CodedFinding` (`modelReport.ts`). */
  'checkpoint.tokenizerDoesNotFit': { path: string; findings: string };
  'checkpoint.noAdapter': { path: string };
  /** A PEFT feature the engine cannot do; `key` and `value` are those of `adapter_config.json`. */
  'checkpoint.unsupportedAdapter': { path: string; key: string; value: string };
  /** `target_modules` that match no layer of the model, comma-separated. */
  'checkpoint.unknownTarget': { path: string; target: string };
}

/** What is wrong with a tokenizer's model file. */
export type TokenizerModelProblem =
  | 'truncated'
  | 'malformed'
  | 'tooLarge'
  | 'tooMany'
  | 'noPieces'
  | 'duplicatePiece'
  | 'noUnknown'
  | 'noEndOfText'
  | 'noSpecialTokens'
  | 'missingBytePieces'
  | 'badCharsmap';

/** What is wrong with a byte-level vocabulary: GLM-4's list of ranks, or `tokenizer.json`. */
export type ByteVocabularyProblem =
  'malformed' | 'tooMany' | 'duplicate' | 'holes' | 'missingBytes' | 'badMerge';

/** Codes of `tokenizer/`. */
export interface TokenizerErrors {
  'tokenizer.notFound': { path: string };
  'tokenizer.invalidModel': { path: string; reason: TokenizerModelProblem };
  /** The file is what git leaves behind where the large file was not downloaded. */
  'tokenizer.gitLfsPointer': { path: string };
  /** The tokenizer has more ids than the model's embedding has rows. */
  'tokenizer.exceedsVocabulary': { path: string; tokens: number; rows: number };
  /** `num_image_tokens` is no whole number from 0; `value` is JSON. */
  'tokenizer.invalidImageTokens': { path: string; value: string };
  'tokenizer.invalidConfig': { path: string; detail: string };
  /** `usable` lists the prompt formats that such a tokenizer can write. */
  'tokenizer.unknownTemplate': { path: string; template: string; usable: string };
  /** GLM-4's list of ranks; `line` is 1-based. */
  'tokenizer.invalidRanks': { path: string; reason: ByteVocabularyProblem; line: number };
  /** Hugging Face's `tokenizer.json`. */
  'tokenizer.invalidJson': { path: string; reason: ByteVocabularyProblem };
  /** A kind of `tokenizer.json` that is not byte-level BPE as GLM has it; `key` is a path in the file. */
  'tokenizer.unsupportedJson': { path: string; key: string; value: string };
  /** `token` of `added_tokens_decoder` is malformed, or missing. */
  'tokenizer.badSpecialToken': { path: string; token: string };
  'tokenizer.noChatTemplate': { path: string };
  /** A chat template that cannot be read; `detail` is the parser's own sentence. */
  'tokenizer.badChatTemplate': { path: string; detail: string };
  /** A chat template that refuses a conversation, or does something that is not possible. */
  'tokenizer.chatTemplateFailed': { path: string; detail: string };
  /** The chosen prompt format needs special tokens of another family. */
  'tokenizer.templateNotUsable': { path: string; template: string; usable: string };
}

/** Why an adapter cannot be rewritten for another layout of the model. */
export type ConversionObstacle =
  | 'notLora'
  | 'noCounterpart'
  | 'sameLayout'
  | 'chatglmLayout'
  | 'perHeadLayout'
  | 'doraPart'
  | 'scale'
  | 'module';

/** Codes of adapters, beside those of `checkpoint/`. */
export interface AdapterErrors {
  /** A regular expression of `target_modules`, `rank_pattern` or `alpha_pattern`. */
  'adapter.badPattern': { pattern: string; detail: string };
  /** A key of `adapter_config.json` that belongs to another model. */
  'adapter.otherModel': { path: string; key: string; found: number; expected: number };
  /** Only the result of a prefix projection was saved: it can be used, not trained further. */
  'adapter.projectionLost': { path: string };
  /** A prefix of ChatGLM2's code of June 2023. Shapes are written like [128,4096]. */
  'adapter.oldPrefix': { path: string; tensor: string; found: string; expected: string };
  /** `detail`: the module or key that is at fault. */
  'adapter.notConvertible': { path: string; reason: ConversionObstacle; detail: string };
}

/** Codes of `dataset/`. */
export interface DatasetErrors {
  'dataset.notFound': { path: string };
  /** Not one usable record: `rows` lines were read and `dropped` of them cannot be trained on. */
  'dataset.empty': { path: string; rows: number; dropped: number };
  /** Not one of `rows` sound records gives a row; the first is in `line` (1-based). `reason` is the tokenizer room's `DropReason`. */
  'dataset.noRow': { path: string; rows: number; line: number; reason: string; maxLength: number };
  /** A row of ids without the markers from which ChatGLM-6B computes positions. */
  'dataset.unplacedRow': { path: string; line: number };
  /** A line longer than any record can be; `line` is 1-based. */
  'dataset.lineTooLong': { path: string; line: number; megabytes: number };
}

/** Codes of the run file, the run directory and process control. */
export interface RunErrors {
  /** `problems` holds one line per problem, each beginning with its key path. */
  'run.invalidFile': { path: string; problems: string };
  'run.notFound': { path: string };
  'run.exists': { path: string };
  'run.noCheckpoint': { path: string };
  /** A full run names an adapter to start from: there is nothing it could be put on. */
  'run.adapterWithFull': { path: string };
  /** The starting adapter is of another kind than the method trains. */
  'run.adapterKind': { path: string; method: string };
  /** The run file itself is missing. */
  'run.fileNotFound': { path: string };
  /** 1-based place of a syntax error; `finding` names a sentence of `src/text/findings`, with its arguments beside it. */
  'run.notJson': {
    path: string;
    line: number;
    column: number;
    finding: string;
    [argument: string]: string | number;
  };
  /** Another process works in the run directory. */
  'run.busy': { path: string; pid: number };
  /** `missing` lists what resuming needs and the directory lacks. */
  'run.incomplete': { path: string; missing: string };
  /** `available` lists the checkpoints there are. */
  'run.checkpointNotFound': { path: string; checkpoint: string; available: string };
  /** A file the run depends on is not the one it started with. */
  'run.changed': { path: string };
  'run.finished': { path: string };
}

/** Codes of the input files of `score` and `generate`; `line` is 1-based. */
export interface InputErrors {
  'input.notFound': { path: string };
  /** A directory, a pipe or a device. */
  'input.notAFile': { path: string };
  'input.empty': { path: string };
  /** No row stands in the line that was asked for. */
  'input.noSuchLine': { path: string; line: number };
  /** `finding` names a sentence of `src/text/findings`, with its arguments beside it. */
  'input.badRow': {
    path: string;
    line: number;
    column: number;
    finding: string;
    [argument: string]: string | number;
  };
  /** The record has none of the shapes listed in `expected`. */
  'input.unknownRow': { path: string; line: number; expected: string };
  /** `expected` is a `FieldExpectation`. */
  'input.badField': { path: string; line: number; field: string; expected: string };
  'input.tokenRange': { path: string; line: number; token: number; size: number };
  'input.tooLong': { path: string; line: number; tokens: number; limit: number };
  /** A row of ids lacks a token that ChatGLM-6B finds the end of its context by. */
  'input.noMarker': { path: string; line: number; marker: string; token: number };
  /** Nothing of the record is trained, or it cannot be encoded. `reason` is a `DropReason`. */
  'input.dropped': { path: string; line: number; reason: string };
}

/** Codes of a chat process. */
export interface ChatErrors {
  'chat.notLoaded': Record<string, never>;
  'chat.badRequest': { detail: string };
  /** The conversation leaves no room for an answer. */
  'chat.tooLong': { tokens: number; limit: number };
}

/** Codes of `engine/`. */
export interface EngineErrors {
  'engine.notInstalled': { path: string };
  /** A file of the library is not what was installed. */
  'engine.damaged': { path: string };
  'engine.loadFailed': { path: string; detail: string };
  /** The library reported an error while running; `detail` is its own text. */
  'engine.runFailed': { detail: string };
  'engine.outOfMemory': { detail: string };
  /** Weights, gradients and the state of the optimiser do not fit into the memory that the portable engine has; in gigabytes. */
  'engine.portableTooLarge': { path: string; needed: number; limit: number };
  /** Profiling where the portable engine computes. */
  'engine.noTrace': Record<string, never>;
  /** More tokens than the model has positions. */
  'engine.tooLong': { tokens: number; limit: number };
  'engine.noTokens': Record<string, never>;
  'engine.badToken': { id: number; vocabulary: number };
  /** A row of ChatGLM-6B without `<sop>` (`sop`), or without `[gMASK]` and `[MASK]` (`mask`); `id` is the token's. */
  'engine.noContextEnd': { missing: 'sop' | 'mask'; id: number };
  /** The logits of a model are NaN: there is nothing to choose the next token from. */
  'engine.notNumbers': Record<string, never>;
  /** What was trained computes values that are not finite; `step` is the last one. */
  /** Full fine-tuning of a checkpoint whose weights are quantised. */
  'engine.packedTrainable': { path: string };
  /** `quantization` for a checkpoint whose weights are quantised already. */
  'engine.alreadyQuantised': { path: string };
  'engine.badResult': { step: number };
  'engine.nonFinite': { what: string; step: number; rows: string };
  /** Gradients of float16 are not finite even with the smallest scale of the loss. */
  'engine.float16Overflow': { step: number; rows: string };
  /** Trained weights that are not finite were not written as a checkpoint; `step` made them. */
  'engine.badWeights': { step: number };
}

/** Codes of `install/`. */
export interface InstallErrors {
  'install.unsupportedPlatform': { platform: string };
  /** The environment names an engine that there is not. */
  'install.badEngine': { value: string; allowed: string };
  'install.badIndexUrl': { url: string };
  'install.badProxy': { proxy: string };
  'install.network': { url: string; detail: string };
  'install.certificate': { url: string; detail: string };
  'install.httpStatus': { url: string; status: number };
  /** The server's answer makes no sense: too long, or not the part that was asked for. */
  'install.badResponse': { url: string; detail: string };
  'install.notOnIndex': { file: string; index: string };
  'install.noLocalFile': { path: string };
  'install.badArchive': { file: string; detail: string };
  /** Hexadecimal sha256. */
  'install.hashMismatch': { file: string; member: string; expected: string; found: string };
  /** Megabytes. */
  'install.noSpace': { path: string; needed: number; free: number };
  'install.cancelled': Record<string, never>;
}

/** Codes of `hub/`: models from the network. The first seven are those that `download/` throws for either purpose. */
export interface HubErrors {
  'hub.badProxy': { proxy: string };
  'hub.network': { url: string; detail: string };
  'hub.certificate': { url: string; detail: string };
  'hub.httpStatus': { url: string; status: number };
  'hub.badResponse': { url: string; detail: string };
  /** Megabytes. */
  'hub.noSpace': { path: string; needed: number; free: number };
  'hub.cancelled': Record<string, never>;
  'hub.badSource': { source: string };
  'hub.badRepository': { repository: string };
  'hub.badRevision': { revision: string };
  /** The file that should hold an access token has none in it. */
  'hub.badToken': { path: string };
  'hub.notFound': { repository: string; source: string };
  'hub.noRevision': { repository: string; source: string; revision: string };
  /** `page` is where the conditions of a repository are agreed to. */
  'hub.gated': { repository: string; page: string };
  'hub.denied': { repository: string; source: string; detail: string };
  'hub.tooManyRequests': { source: string };
  /** A path in the server's listing that must not be written, as JSON text. */
  'hub.unsafePath': { repository: string; path: string };
  'hub.noCheckpoint': { repository: string };
  'hub.nothingChosen': { repository: string };
  'hub.tooLarge': { path: string; megabytes: number; limit: number };
  /** A file of that name is there and was not downloaded by us. */
  'hub.exists': { path: string };
  /** What should be a directory is something else, such as a link. */
  'hub.notADirectory': { path: string };
  /** Hexadecimal; `algorithm` is `sha256` or `git`. */
  'hub.hashMismatch': { file: string; algorithm: string; expected: string; found: string };
}

/** Codes of the editor's side: child processes and what they need. */
export interface HostErrors {
  /** `version` is empty where the program is no Node at all. */
  'host.nodeUnusable': { path: string; version: string; minimum: number };
  'host.untrusted': Record<string, never>;
  'host.notOnDisk': { path: string };
  /** A training process ended before it could report; `detail` is the end of its log. */
  'host.processEnded': { code: number; detail: string };
  'host.chatEnded': { detail: string };
  'host.noAnswer': { path: string };
}

/** Codes of the operating system, wherever they occur. */
export interface SystemErrors {
  'system.noSpace': { path: string };
  'system.noPermission': { path: string };
  'system.io': { path: string; detail: string };
  'system.internal': { detail: string };
}

export interface ErrorArguments
  extends
    AdapterErrors,
    CheckpointErrors,
    TokenizerErrors,
    DatasetErrors,
    RunErrors,
    InputErrors,
    ChatErrors,
    EngineErrors,
    InstallErrors,
    HubErrors,
    HostErrors,
    SystemErrors {}

export type ErrorCode = keyof ErrorArguments;

/** An error with a code that `src/text/errors` turns into a sentence, a place and a remedy. */
export class GlmError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'GlmError';

  constructor(
    readonly code: C,
    readonly args: ErrorArguments[C],
    options?: ErrorOptions,
  ) {
    super(`${code} ${JSON.stringify(args)}`, options);
  }
}

/** Plain data form of an error, for events and replies. */
export interface ErrorData {
  code: ErrorCode;
  args: Record<string, string | number>;
}

/** Whether a thrown value is a `GlmError`; by shape, because each bundle has its own copy of the class. */
export function isGlmError(error: unknown): error is GlmError {
  return error instanceof Error && error.name === 'GlmError' && 'code' in error && 'args' in error;
}

/** What Node puts on errors of the operating system. */
interface SystemError {
  code?: string;
  path?: string;
  syscall?: string;
}

/**
 * Any thrown value as plain data.
 * Operating-system errors become `system.*` codes with the path they carry; everything else is `system.internal`.
 */
export function toErrorData(error: unknown): ErrorData {
  if (isGlmError(error)) return { code: error.code, args: error.args };
  const system = error as SystemError | undefined;
  const path = system?.path ?? '';
  switch (system?.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return { code: 'system.noSpace', args: { path } };
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return { code: 'system.noPermission', args: { path } };
  }
  const detail = error instanceof Error ? error.message : String(error);
  // `ENOENT: no such file or directory, open 'a'`: what was called and the path say nothing more.
  if (system?.syscall)
    return { code: 'system.io', args: { path, detail: detail.replace(/, \w+( '.*)?$/s, '') } };
  return { code: 'system.internal', args: { detail } };
}
