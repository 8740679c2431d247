import { UserError } from '../../src/report/user-error.ts';

/** The sentence with which `act` refuses; fails if it does anything else. */
export function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}
