import type { TrainingSettings } from '../../../protocol/run';
import { adafactor } from './adafactor';
import { adamw } from './adamw';
import { lion } from './lion';
import type { Optimiser } from './optimiser';

export const optimisers: Record<TrainingSettings['optimizer'], Optimiser> = { adamw, lion, adafactor };

export { stateBytes, type OptimisedGroup, type Optimiser, type UpdateRates } from './optimiser';
