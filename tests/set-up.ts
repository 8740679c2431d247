// Before every test file. Properties draw from a fixed seed, so that a run says something about the change and never about luck; a
// property may name its own. HEDDLE_PROPERTY_SEED=N draws others, for a campaign.

import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['HEDDLE_PROPERTY_SEED'] ?? 1) });
