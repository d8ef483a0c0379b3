/** A dataset in the editor: what a person sees of its problems. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { eventually, PATIENCE } from './harness/eventually';
import { workbenchSuite } from './harness/suite';

describe('dataset in the editor', () => {
  const scenario = workbenchSuite();

  scenario('a broken dataset has squiggles and rows in the Problems panel', async (workbench) => {
    await workbench.open();
    await workbench.openFile('broken.jsonl');
    await workbench.page.locator('.squiggly-error').first().waitFor({ timeout: PATIENCE });
    const problems = await workbench.problems();
    // One row for the file and one for each problem.
    await eventually('three problems', async () => (await problems.count()) >= 4);
    assert.match((await problems.first().textContent()) ?? '', /broken\.jsonl/);
    await workbench.screenshot('problems');
  });
});
