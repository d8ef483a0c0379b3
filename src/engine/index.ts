/** The engine as other rooms use it (bundled as `dist/engine.js`). */
export { openEngine, openPortableEngine } from './backend/engine';
export { engineReport, engineVersions } from './report';
export { LanguageModel } from './infer/languageModel';
export { train, type TrainRequest } from './train/trainer';
export { profile, type ProfilePhase } from './profile/profile';
export { planUnloaded } from './train/runMemory';
export type * from './profile/types';
export type * from './types';
