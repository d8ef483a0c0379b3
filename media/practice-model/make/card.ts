/** The model card: README.md beside the weights. */
import capitals from '../corpus/capitals.json';
import sentences from '../corpus/sentences.json';
import words from '../corpus/words.json';
import type { CheckResult } from './check';
import { CONFIG, PIECES, TRAINING } from './settings';

export interface CardFacts {
  parameters: number;
  records: number;
  bytes: number;
  steps: number;
  firstLoss: number;
  lastLoss: number;
  check: CheckResult;
}

function share({ right, asked }: { right: number; asked: number }): string {
  return `${right} of ${asked} (${((100 * right) / Math.max(asked, 1)).toFixed(1)} %)`;
}

export function modelCard(facts: CardFacts): string {
  const { check } = facts;
  return `# Practice model

A very small language model with the architecture and file layout of ChatGLM3, to try fine-tuning with: it needs no
download and no graphics card. It is no part of the ChatGLM releases and knows nothing but the simple things below.

| | |
| --- | --- |
| Architecture | ChatGLM3 (\`model_type: chatglm\`, prompt format \`chatglm3\`) |
| Parameters | ${(facts.parameters / 1e6).toFixed(2)} million: ${CONFIG.num_layers} layers, hidden size ${CONFIG.hidden_size}, ${CONFIG.num_attention_heads} heads in ${CONFIG.multi_query_group_num} groups, MLP ${CONFIG.ffn_hidden_size} |
| Tokenizer | SentencePiece BPE with byte fallback, ${PIECES} pieces, trained on the corpus |
| Weights | bfloat16 safetensors, ${(facts.bytes / 1e6).toFixed(1)} MB |
| Context | ${CONFIG.seq_length} tokens; it never saw more than a hundred |
| Data | ${facts.records} short conversations in English and Simplified Chinese, written for this project (\`corpus/\`) |
| Training | from random weights by this project's own engine: float32, AdamW, ${TRAINING.epochs} epochs, ${facts.steps} steps of ${TRAINING.batch_size} conversations |
| Loss | ${facts.firstLoss.toFixed(2)} over the first tenth of the steps, ${facts.lastLoss.toFixed(3)} over the last |
| Right answers, greedy | ${share(check.trained)} of sampled training questions word for word; ${share(check.heldOut)} of known translations asked in a wording it has not seen |
| Licence | Apache-2.0, like the project |

It greets, says who it is, adds numbers up to ten, names ${capitals.length} capitals, colors, opposites, animal sounds, days and
months, translates ${words.length} words and ${sentences.length} sentences both ways, and explains a few dozen everyday things. Ask it anything else and it
answers nonsense: that is expected.

## Make it again

\`npm run practice-model\` expands the corpus, trains the tokenizer, writes random weights, pre-trains them with
\`chatglm-finetune train\`, rounds the result to bfloat16 and asks it the questions above. Corpus, tokenizer and first
weights come out the same every time; the trained weights may differ in the last digits from machine to machine.
`;
}
