import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isChatViewMessage, isRunViewMessage } from '../../../src/protocol/webview';

describe('messages from webviews', () => {
  it('are taken when they are of the protocol', () => {
    assert.ok(isRunViewMessage({ type: 'ready' }));
    assert.ok(isRunViewMessage({ type: 'request', id: 1, method: 'stop' }));
    assert.ok(isChatViewMessage({ type: 'send', text: 'hi' }));
    assert.ok(isChatViewMessage({ type: 'sampling', changes: { temperature: 0.5, do_sample: false } }));
  });

  it('are refused when they are not', () => {
    const foreign: unknown[] = [
      null,
      'ready',
      {},
      { type: 'request', id: '1', method: 'stop' },
      { type: 'request', id: 1, method: 'deleteEverything' },
      { type: 'request', id: 1, method: 'toString' },
    ];
    for (const message of foreign) {
      assert.equal(isRunViewMessage(message), false, JSON.stringify(message));
      assert.equal(isChatViewMessage(message), false, JSON.stringify(message));
    }
  });

  it('are refused when a sampling value is out of range, unknown or no number', () => {
    const changes: unknown[] = [
      { temperature: 0 },
      { top_p: 1.5 },
      { top_k: 2.5 },
      { max_new_tokens: -1 },
      { temperature: NaN },
      { temperature: '1' },
      { constructor: 1 },
      { unknown: 1 },
      null,
    ];
    for (const change of changes) {
      assert.equal(isChatViewMessage({ type: 'sampling', changes: change }), false, JSON.stringify(change));
    }
  });
});
