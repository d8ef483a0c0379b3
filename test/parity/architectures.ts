/** The six networks of the fixtures; each has its own folder in `golden`, `models`, `data` and `tokenizers`. */
export const ARCHITECTURES = [
  'chatglm-v1',
  'chatglm2',
  'chatglm3',
  'glm4-9b',
  'glm-hf',
  'glm4-0414',
] as const;

export type ArchitectureName = (typeof ARCHITECTURES)[number];
