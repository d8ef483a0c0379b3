/**
 * Reporter for `node --test`: one line a suite, the full story of every failure, and the counts for the caller in the file
 * named by TEST_COUNTS.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';

/** @param {AsyncIterable<{ type: string, data: any }>} events */
export default async function* reporter(events) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  let suite = { passed: 0, failed: 0 };
  const failures = [];
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') yield data.message;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const isTest = data.details.type !== 'suite' && !isFileWrapper(data);
    if (isTest && data.skip === undefined && data.todo === undefined) {
      const outcome = type === 'test:pass' ? 'passed' : 'failed';
      total[outcome] += 1;
      suite[outcome] += 1;
    } else if (isTest) {
      total.skipped += 1;
    }
    if (type === 'test:fail' && isOwnFailure(data.details.error)) {
      // A suite whose hook fails, or a file that does not load, is a failure though it is no test.
      if (!isTest) total.failed += 1;
      failures.push(`${place(data)}${data.name}\n${describe(data.details.error)}\n`);
      if (data.nesting > 0 || isFileWrapper(data)) yield `  FAILED  ${data.name}\n`;
    }
    if (data.nesting === 0 && !isFileWrapper(data)) {
      const took = `${(data.details.duration_ms / 1000).toFixed(1)} s`;
      const mark = type === 'test:pass' ? 'ok    ' : 'FAILED';
      yield `  ${mark}  ${data.name} (${suite.passed} passed${suite.failed ? `, ${suite.failed} failed` : ''}, ${took})\n`;
      suite = { passed: 0, failed: 0 };
    }
  }
  if (failures.length) yield `\n${failures.join('\n')}\n`;
  const skipped = total.skipped ? `, ${total.skipped} skipped` : '';
  yield `  ${total.passed} passed, ${total.failed} failed${skipped}\n`;
  if (process.env.TEST_COUNTS) writeFileSync(process.env.TEST_COUNTS, JSON.stringify(total));
}

/** `node --test` reports a file that fails to load, or has no tests, as a test named like the file. */
function isFileWrapper({ name, file }) {
  return file !== undefined && path.resolve(name) === path.resolve(file);
}

/** A suite fails when a test in it does: that failure has been told already. */
function isOwnFailure(error) {
  return error?.failureType !== 'subtestsFailed';
}

function place({ file, line }) {
  return file ? `${path.basename(file)}:${line ?? ''} ` : '';
}

function describe(error) {
  const cause = error?.cause ?? error;
  return typeof cause === 'string' ? cause : (cause?.stack ?? inspect(cause));
}
