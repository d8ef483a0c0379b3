/** The engine's native library: where it is, whether it is there, and getting it. */
export { enginesDirectory, glmtuneHome, variantDirectory } from './directories';
export { installEngine, type InstallOptions } from './install';
export { choosesPortable, ENGINE_CHOICES, ENGINE_VARIABLE, type EngineChoice } from './engineChoice';
export { damagedFiles } from './verify';
export { engineDirectory, installedEngine, type InstalledEngine } from './installed';
export type { Fetch } from '../download/network';
export { ENGINE_VERSION, type EngineVariant } from './pins';
export type { InstallProgress } from './progress';
export { automaticVariant, hasNvidiaGpu, unsupportedPlatform } from './variant';
