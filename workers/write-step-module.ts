// A part of the build: makes the module of step functions, which takes longer than most guests run, and leaves it as a file.

import { writeFileSync } from 'node:fs';
import { encodeStepModule } from '../src/engine/step-module.ts';
import { stepModuleFile } from './step-module.ts';

writeFileSync(stepModuleFile, encodeStepModule());
