/** Who may import whom, as ESLint reads it. The same rules in words: CONTRIBUTING.md. */

const VSCODE_ROOMS = ['host', 'editor', 'workbench'];

/**
 * What each folder of `src/` may import from the others. `types` are folders of which only types may be imported.
 * @type {Record<string, { rooms: string[], types?: string[], vscode?: boolean }>}
 */
export const rooms = {
  protocol: { rooms: [] },
  text: { rooms: ['protocol'], types: ['dataset'] },
  process: { rooms: ['protocol'] },
  download: { rooms: ['protocol', 'process'] },
  install: { rooms: ['protocol', 'process', 'download'] },
  hub: { rooms: ['protocol', 'download'] },
  dataset: { rooms: ['protocol'] },
  tokenizer: { rooms: ['protocol'], types: ['dataset'] },
  checkpoint: { rooms: ['protocol'] },
  engine: { rooms: ['protocol', 'dataset', 'tokenizer', 'checkpoint'] },
  torch: { rooms: ['protocol', 'dataset', 'tokenizer', 'checkpoint'] },
  serve: { rooms: ['protocol', 'dataset', 'tokenizer', 'checkpoint', 'engine'] },
  // The engine is loaded from its own bundle when it is needed, so only its types are imported.
  cli: {
    rooms: [
      'protocol',
      'dataset',
      'tokenizer',
      'checkpoint',
      'process',
      'install',
      'hub',
      'serve',
      'text',
      'torch',
    ],
    types: ['engine'],
  },
  host: { rooms: ['protocol', 'text', 'process', 'install'], vscode: true },
  editor: { rooms: ['protocol', 'dataset', 'tokenizer', 'text', 'host'], vscode: true },
  // What a model directory holds is read from its configuration, as the engine reads it.
  workbench: { rooms: ['protocol', 'checkpoint', 'text', 'process', 'host'], vscode: true },
};

const NATIVE = {
  regex: '^(@tensorflow/|koffi(/|$)|@koromix/)',
  message: 'Only src/engine/backend imports TensorFlow.js and koffi.',
};

/**
 * Flat-config entries that enforce the table above.
 * @returns {import('eslint').Linter.Config[]}
 */
export function importRules() {
  const names = Object.keys(rooms);
  const perRoom = names.map((room) => restrict([`src/${room}/**/*.ts`], patternsOf(room, names)));
  return [
    ...perRoom,
    restrict(
      ['src/engine/backend/**/*.ts'],
      patternsOf('engine', names).filter((pattern) => pattern !== NATIVE),
    ),
    restrict(
      ['src/protocol/**/*.ts'],
      [
        ...patternsOf('protocol', names),
        { regex: '^(?!\\.|zod(/|$))', message: 'src/protocol imports nothing but zod.' },
      ],
    ),
    restrict(['src/extension.ts'], [NATIVE, ...forbidRooms('extension.ts', ['engine', 'cli'], '^\\./')]),
    restrict(
      ['webview/**/*.ts'],
      [
        NATIVE,
        { regex: '^(vscode$|node:)', message: 'A webview runs in a browser.' },
        {
          regex: '/src/(?!protocol/)',
          message: 'A webview imports nothing of src but src/protocol.',
        },
        {
          regex: '^@vscode/webview-ui-toolkit',
          message: 'Only webview/shared/ui.ts imports the toolkit, so that replacing it stays one file.',
        },
      ],
    ),
    restrict(
      ['webview/shared/ui.ts'],
      [
        NATIVE,
        { regex: '/src/(?!protocol/)', message: 'A webview imports nothing of src but src/protocol.' },
      ],
    ),
  ];
}

function restrict(files, patterns) {
  return { files, rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] } };
}

function patternsOf(room, names) {
  const { rooms: allowed, types = [], vscode = false } = rooms[room];
  const closed = names.filter((name) => name !== room && !allowed.includes(name) && !types.includes(name));
  return [
    NATIVE,
    ...forbidRooms(room, closed, '^(\\.\\./)+'),
    ...types.map((name) => ({
      regex: `^(\\.\\./)+${name}(/|$)`,
      allowTypeImports: true,
      message: `src/${room} imports only types of src/${name}.`,
    })),
    ...(vscode
      ? []
      : [
          {
            regex: '^vscode$',
            message: `Only src/${VSCODE_ROOMS.join(', src/')} and src/extension.ts import vscode.`,
          },
        ]),
  ];
}

function forbidRooms(room, closed, prefix) {
  return closed.length
    ? [
        {
          regex: `${prefix}(${closed.join('|')})(/|$)`,
          message: `src/${room} must not import from this folder.`,
        },
      ]
    : [];
}
