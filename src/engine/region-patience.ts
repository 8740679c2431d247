// When a trace that has run often becomes a region. Making one takes as long as millions of instructions: a program whose time goes to a few loops
// gets them at once, one that has a thousand warm places keeps its traces.

import type { ObservedCode } from './observed-code.ts';

/** After each so many regions the next ones must have asked twice as often; and so often at most. */
const regionsOfOnePatience = 4;
const mostAsking = 256;
/**
 * Where what runs is spread over more instructions, a region would be left again and again; traces, which follow the way that is usual, serve
 * better. After a refusal the next ones must have asked twice as often, up to so many refusals without a region between them.
 */
const mostSpread = 256;
const mostRefusals = 5;

export class RegionPatience {
  private regions = 0;
  private refusals = 0;

  /** How often a trace must have asked. */
  get asks(): number {
    const doublings = Math.floor(this.regions / regionsOfOnePatience) + Math.min(this.refusals, mostRefusals);
    return Math.min(2 ** doublings, mostAsking);
  }

  /** Whether what has been observed is worth a region. */
  admits(code: ObservedCode): boolean {
    if (code.spread <= mostSpread) return true;
    this.refusals += 1;
    return false;
  }

  noteRegion(): void {
    this.regions += 1;
    this.refusals = 0;
  }
}
