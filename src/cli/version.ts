// The version of this package.

import { packageVersion } from '../../workers/package-file.ts';

export const version = packageVersion;
