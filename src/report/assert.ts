/** A fault of Heddle itself, never of the guest and never of the user. The command line exits with 70. */
export class InternalError extends Error {
  override readonly name = 'InternalError';
}

/** States what must be true if Heddle has no bug. Always on outside the innermost loops. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InternalError(message);
}
