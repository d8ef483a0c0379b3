/** Prompt format and label rules of ChatGLM3: messages that begin with a role token. */
import type { GlmTokenizer } from '../glmTokenizer';
import { withTools } from './conversation';
import { RoleTemplate } from './roleMessages';

export class ChatGlm3Template extends RoleTemplate {
  /** @param vocabSize rows of the model's embedding, to check pre-tokenised rows */
  constructor(tokenizer: GlmTokenizer, vocabSize: number) {
    super(tokenizer, vocabSize, {
      prefix: [tokenizer.special('[gMASK]'), tokenizer.special('sop')],
      roleIds: {
        system: tokenizer.special('<|system|>'),
        user: tokenizer.special('<|user|>'),
        assistant: tokenizer.special('<|assistant|>'),
        observation: tokenizer.special('<|observation|>'),
      },
      eosId: tokenizer.eosId,
      closingId: tokenizer.eosId,
      trainedRoles: ['assistant', 'observation'],
      untrainedHead: () => 1,
      turns: withTools,
    });
  }
}
