/** Prompt format and label rules of GLM-4-9B-chat, as its Python code of June 2024 has them. */
import type { Message, Role, ToolDescription } from '../../dataset/types';
import type { ByteLevelTokenizer } from '../bytelevel/byteLevelTokenizer';
import { asObject } from '../bytelevel/fields';
import { toTurns, type Turn } from './conversation';
import { pythonJson } from './pythonJson';
import { RoleTemplate } from './roleMessages';

/** The special tokens that this format writes. */
export const GLM4_SPECIALS = [
  '[gMASK]',
  '<sop>',
  '<|endoftext|>',
  '<|system|>',
  '<|user|>',
  '<|assistant|>',
  '<|observation|>',
] as const;

export class Glm4Template extends RoleTemplate {
  /**
   * @param tokenizer must know all of `GLM4_SPECIALS`
   * @param vocabSize rows of the model's embedding, to check pre-tokenised rows
   */
  constructor(tokenizer: ByteLevelTokenizer, vocabSize: number) {
    const roleId = (role: Role): number => tokenizer.special(`<|${role}|>`);
    super(tokenizer, vocabSize, {
      prefix: [tokenizer.special('[gMASK]'), tokenizer.special('<sop>')],
      roleIds: {
        system: roleId('system'),
        user: roleId('user'),
        assistant: roleId('assistant'),
        observation: roleId('observation'),
      },
      eosId: tokenizer.special('<|endoftext|>'),
      // Where the next question would begin, the model is to stop.
      closingId: roleId('user'),
      trainedRoles: ['assistant'],
      // The script's rule for "only the last answer" (`combine`) leaves out the newline of the role line as well.
      untrainedHead: ({ maskHistory }) => (maskHistory ? 2 : 1),
      turns: glm4Turns,
    });
  }
}

/** The name of the model is spelt so in the original. */
const TOOLS_INTRODUCTION =
  '你是一个名为 GhatGLM 的人工智能助手。你是基于智谱AI训练的语言模型 GLM-4 模型开发的，你的任务是针对用户的问题和要求提供适当的答复和支持。\n\n# 可用工具';
const TOOL_NOTE = '\n在调用上述函数时，请使用 Json 格式表示调用的参数。';

/**
 * Messages as the format writes them: tools in a system message of their own before the first system message, calls as JSON;
 * messages without content are left out.
 */
export function glm4Turns(messages: readonly Message[], tools?: readonly ToolDescription[]): Turn[] {
  const turns = toTurns(messages).map(withCallAsJson);
  if (tools && tools.length > 0) {
    const at = Math.max(
      0,
      turns.findIndex((turn) => turn.role === 'system'),
    );
    turns.splice(at, 0, { role: 'system', content: toolsText(tools), index: null });
  }
  return turns.filter((turn) => turn.content !== '');
}

/** `Message.content` holds ChatGLM3's writing of a call. */
export function withCallAsJson<T extends Message>(message: T): T {
  const { toolCall } = message;
  return toolCall
    ? { ...message, metadata: toolCall.name, content: pythonJson(toolCall.arguments) }
    : message;
}

function toolsText(tools: readonly ToolDescription[]): string {
  const texts = tools.map((tool) => {
    // OpenAI's shape wraps the function, ChatGLM3's does not.
    const description = asObject(tool.function) ?? tool;
    const name = description.name ?? tool.type;
    return `\n\n## ${String(name)}\n\n${JSON.stringify(description, null, 4)}${TOOL_NOTE}`;
  });
  return TOOLS_INTRODUCTION + texts.join('');
}
