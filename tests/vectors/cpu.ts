// The emulator that made the vectors, and the processors that it is asked for.

export const QEMU = 'qemu-aarch64';

/**
 * Every feature of the list, and none that would change the meaning of what is in it: without FEAT_PAuth its hints are
 * NOPs, as they are where no key is enabled, and without SVE the frame of a signal holds V0-V31 once.
 */
export const ALL_FEATURES = 'max,sve=off,sme=off,pauth=off';

/** With FEAT_PAuth, for what needs no key. */
export const POINTER_AUTHENTICATION = 'max,sve=off,sme=off,pauth-impdef=off';

/** DC ZVA clears 64 bytes here, as on most implementations; the model above clears 512. */
export const ARMV8_2 = 'neoverse-n1';
