/**
 * A refusal of what the user gave: one sentence that names the file, line, option or address, and where it helps a
 * hint that says what to do instead. The command line prints it without a stack and exits with 2.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
