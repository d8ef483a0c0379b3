import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lintText } from '../../../src/dataset';
import {
  appendConversation,
  isTrainable,
  withoutUnanswered,
} from '../../../src/workbench/chat/conversationRow';

const messages = [
  { role: 'user', content: '你好\n第二行' },
  { role: 'assistant', content: 'Hello "you"' },
] as const;

test('a conversation is added as one clean record and what was there stays', () => {
  const before = '{"prompt":"a","response":12345678901234567890}';
  const after = appendConversation(before, messages);
  assert.ok(after.startsWith(`${before}\n`));
  const added = after.trimEnd().split('\n').slice(1);
  assert.equal(added.length, 1);
  assert.deepEqual(JSON.parse(added[0]), { messages });
  assert.equal(appendConversation('', messages), `${added[0]}\n`);
  assert.equal(lintText([added[0]]).findings.length, 0);
});

test('only an answered conversation can be trained on', () => {
  assert.ok(isTrainable(messages));
  assert.ok(!isTrainable(messages.slice(0, 1)));
  assert.ok(!isTrainable([]));
});

test('the model is not asked again what was stopped before its answer began', () => {
  const [question, answer] = messages;
  const stopped = { role: 'user', content: 'stopped' } as const;
  assert.deepEqual(withoutUnanswered([stopped, question, answer, stopped, question]), [
    question,
    answer,
    question,
  ]);
});
