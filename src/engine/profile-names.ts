// What translated code is called in a profile of the host: the Exception level and the virtual address that it begins at.

export interface GuestCode {
  readonly el: number;
  readonly va: bigint;
}

const prefix = 'guest code';

export const guestCodeName = ({ el, va }: GuestCode): string => `${prefix} EL${el} ${va.toString(16)}`;

const form = new RegExp(`^${prefix} EL([0-3]) ([0-9a-f]+)$`);

/** What a name stands for; undefined where it is that of other code. */
export function guestCodeNamed(name: string): GuestCode | undefined {
  const [, el, va] = form.exec(name) ?? [];
  return va === undefined ? undefined : { el: Number(el), va: BigInt(`0x${va}`) };
}
