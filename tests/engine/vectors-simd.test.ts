import { describeVectors, VECTOR_GROUPS } from './vector-groups.ts';

describeVectors(VECTOR_GROUPS.simd);
