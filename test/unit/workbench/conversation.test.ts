import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChatMessage, ChatModel, ChatResult } from '../../../src/protocol/control';
import { Conversation, type ConversationHost } from '../../../src/workbench/chat/conversation';
import type { ChatChoice } from '../../../src/workbench/chat/targets';

const RESULT = {
  finish_reason: 'stop',
  prompt_tokens: 3,
  completion_tokens: 1200,
  tokens_per_second: 12.5,
  first_token_seconds: 0.25,
} as const;

const base: ChatChoice = {
  id: 'base',
  label: 'Base',
  model: '/models/base',
  adapter: null,
  dtype: 'float32',
  quantization: null,
  template: null,
};
const tuned: ChatChoice = { ...base, id: 'tuned', label: 'Tuned', adapter: '/runs/a/adapter' };

/** A chat process in this process: it answers each question with the pieces it is given. */
class Process {
  running = false;
  loads: ChatModel[] = [];
  asked: ChatMessage[][] = [];
  pieces = ['Good ', 'day'];
  /** Called before each piece. */
  beforePiece: (at: number) => void = () => undefined;

  async load(model: ChatModel): Promise<number> {
    this.running = true;
    this.loads.push(model);
    return 7;
  }

  async chat(
    messages: ChatMessage[],
    _sampling: unknown,
    onToken: (text: string) => void,
    signal: AbortSignal,
  ): Promise<ChatResult> {
    this.asked.push(messages);
    let text = '';
    for (const [at, piece] of this.pieces.entries()) {
      this.beforePiece(at);
      if (signal.aborted) return { ...RESULT, text, finish_reason: 'cancelled' };
      text += piece;
      onToken(piece);
    }
    return { ...RESULT, text: text.trim() };
  }
}

function start(change: Partial<ConversationHost> = {}) {
  const process = new Process();
  const seen: string[] = [];
  const grown: string[] = [];
  const conversation: Conversation = new Conversation({
    client: process,
    t: (message, args = {}) =>
      message.replace(/\{(\w+)\}/g, (whole, name: string) => String(args[name] ?? whole)),
    language: 'en',
    sampling: () => ({
      do_sample: false,
      temperature: 1,
      top_p: 1,
      top_k: 0,
      repetition_penalty: 1,
      max_new_tokens: 8,
      seed: 0,
    }),
    engineReady: async () => true,
    changed: () => {
      const { kind } = conversation.status;
      if (seen.at(-1) !== kind) seen.push(kind);
    },
    grew: (piece) => grown.push(piece),
    explain: (error) => ({ message: (error as Error).message, remedy: 'again' }),
    ...change,
  });
  return { conversation, process, seen, grown };
}

const said = ({ messages }: Conversation): string[] =>
  messages.map(({ role, content }) => `${role}: ${content}`);

describe('a conversation', () => {
  it('loads the model, grows the answer, and ends with the whole of it', async () => {
    const { conversation, process, seen, grown } = start();
    await conversation.send('Hello', base);
    assert.deepEqual(said(conversation), ['user: Hello', 'assistant: Good day']);
    assert.deepEqual(seen, ['idle', 'working', 'answering', 'idle']);
    // The first piece comes with the state that has it.
    assert.deepEqual(grown, ['day']);
    assert.equal(conversation.footer, '12.5 tokens/s · 1,200 tokens');
    const { id: _id, label: _label, ...model } = base;
    assert.deepEqual(process.loads, [model]);
  });

  it('goes on with what was said, and loads only another model', async () => {
    const { conversation, process } = start();
    await conversation.send('Hello', base);
    await conversation.send('And?', base);
    await conversation.send('Now you', tuned);
    assert.deepEqual(
      process.loads.map(({ adapter }) => adapter),
      [null, '/runs/a/adapter'],
    );
    assert.equal(process.asked.at(-1)?.length, 5);
  });

  it('keeps what there is of a stopped answer, and does not ask an unanswered question again', async () => {
    const { conversation, process } = start();
    process.beforePiece = (at) => at === 1 && conversation.stop();
    await conversation.send('Hello', base);
    assert.deepEqual(said(conversation), ['user: Hello', 'assistant: Good ']);
    process.beforePiece = () => conversation.stop();
    await conversation.send('Stopped at once', base);
    process.beforePiece = () => undefined;
    process.asked = [];
    await conversation.send('Third', base);
    assert.deepEqual(
      process.asked[0]?.map(({ content }) => content),
      ['Hello', 'Good ', 'Third'],
    );
  });

  it('shows nothing of an answer to a conversation that was cleared', async () => {
    const { conversation, process } = start();
    process.beforePiece = (at) => at === 1 && conversation.clear();
    await conversation.send('Hello', base);
    assert.deepEqual(said(conversation), []);
    assert.equal(conversation.footer, '');
    assert.equal(conversation.status.kind, 'idle');
  });

  it('tells what went wrong, and loads again where the process is gone', async () => {
    const { conversation, process } = start();
    await conversation.send('Hello', base);
    process.beforePiece = () => {
      process.running = false;
      throw new Error('killed');
    };
    await conversation.send('Still there?', base);
    assert.deepEqual(conversation.status, { kind: 'error', text: 'killed', remedy: 'again' });
    process.beforePiece = () => undefined;
    conversation.forgetError();
    assert.equal(conversation.status.kind, 'idle');
    await conversation.send('And now?', base);
    assert.equal(process.loads.length, 2);
  });

  it('asks nothing without the engine, and takes no second question meanwhile', async () => {
    let installed = false;
    const { conversation, process } = start({ engineReady: async () => installed });
    await conversation.send('Hello', base);
    assert.equal(conversation.status.kind, 'engineMissing');
    assert.deepEqual(said(conversation), []);
    installed = true;
    assert.ok(await conversation.checkEngine());
    await Promise.all([conversation.send('One', base), conversation.send('Two', base)]);
    assert.equal(process.asked.length, 1);
    assert.deepEqual(said(conversation), ['user: One', 'assistant: Good day']);
  });
});
