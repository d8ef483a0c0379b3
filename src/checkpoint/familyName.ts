/** What people call a model's family; the same in every language. */

const NETWORKS: Readonly<Record<string, string>> = {
  chatglm: 'ChatGLM-6B',
  chatglm2: 'ChatGLM2 / ChatGLM3 / GLM-4-9B',
  glm: 'GLM-4-9B-hf / GLM-Edge',
  glm4: 'GLM-4-0414',
};

/** Families that share a network, by what they are called in names of repositories and directories. */
const SHARED: readonly { architecture: string; pattern: RegExp; name: string }[] = [
  { architecture: 'chatglm2', pattern: /codegeex2/i, name: 'CodeGeeX2' },
  { architecture: 'chatglm2', pattern: /codegeex4/i, name: 'CodeGeeX4' },
  { architecture: 'chatglm2', pattern: /chatglm2/i, name: 'ChatGLM2' },
  { architecture: 'chatglm2', pattern: /chatglm3/i, name: 'ChatGLM3' },
  { architecture: 'chatglm2', pattern: /glm-?4/i, name: 'GLM-4-9B' },
  { architecture: 'glm', pattern: /glm-edge/i, name: 'GLM-Edge' },
  { architecture: 'glm', pattern: /glm-4/i, name: 'GLM-4-9B-hf' },
];

/**
 * @param architecture discriminant of `ModelConfig`
 * @param names what the model is called (`_name_or_path`, its directory), the most telling first: some families share a network
 */
export function familyName(architecture: string, names: readonly unknown[] = []): string {
  for (const name of names) {
    if (typeof name !== 'string') continue;
    const found = SHARED.find((family) => family.architecture === architecture && family.pattern.test(name));
    if (found) return found.name;
  }
  return NETWORKS[architecture] ?? architecture;
}
