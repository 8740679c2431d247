// A device behind a TBU. What it does on a message or a timer is a pass: its effects come all at once when every page that it touches has
// been translated, and not at all before. A pass that misses translations is forgotten, state and all; the TBU is asked (LTI, actors/smmu/lti.ts),
// and it is made again when the answers have come. The accesses of a pass are under way from the first answer until its end, so
// that an invalidation waits for it.
//
// Messages and timers wait while a pass is under way, but for the response to a write on the bus, which is given at once: the write is posted.

import type { Actor, ActorId, Message, Port } from '../actor.ts';
import { busMessages, busResponse } from '../bus/messages.ts';
import { decode, encode } from '../protocol.ts';
import { accessBit, ltiMessages, ltiResponse } from '../smmu/lti.ts';
import type { GuestMemory } from './guest-memory.ts';
import { isWriteKey, pageOfKey, PassEnds, TranslatedMemory } from './translated-memory.ts';

/** Takes an effect that a pass is to have when it is complete. */
export type Later = (effect: () => void) => void;

export interface TranslatedDeviceOptions {
  readonly tbu: ActorId;
  /** By physical address. */
  readonly ram: GuestMemory;
  /** Makes the device; effects that are neither messages nor memory go by `later`. */
  readonly make: (port: Port, memory: TranslatedMemory, later: Later) => Actor;
}

type Input = { readonly message: Message } | { readonly timer: number };

interface SavedTranslatedDevice {
  readonly version: 1;
  readonly device: unknown;
  readonly inputs: readonly Input[];
  readonly isAnswered: boolean;
  readonly nextTag: number;
}

/** The passes that one input may take: a driver that changes its rings all the time comes to an end, and an invalidation too. */
const maxPasses = 64;
const twoTo32 = 2 ** 32;
/** The word of a WriteRequest, and of its response, that is the tag. */
const tagWord = 2;

export class TranslatedDevice implements Actor {
  private readonly port: Port;
  private readonly options: TranslatedDeviceOptions;
  private readonly memory: TranslatedMemory;
  private readonly device: Actor;
  private inputs: Input[] = [];
  private effects: (() => void)[] = [];
  private passes = 0;
  /** The response to the write that the present pass is about has been given. */
  private isAnswered = false;
  /** What the TBU has been asked, by tag, and the accesses that it has granted. */
  private readonly asked = new Map<number, number>();
  private granted: number[] = [];
  private nextTag = 1;

  constructor(port: Port, options: TranslatedDeviceOptions) {
    this.port = port;
    this.options = options;
    this.memory = new TranslatedMemory(options.ram);
    const later: Later = (effect) => {
      this.effects.push(effect);
    };
    this.device = options.make(this.bufferedPort(later), this.memory, later);
    this.effects = [];
  }

  private bufferedPort(later: Later): Port {
    const { port } = this;
    return {
      self: port.self,
      now: () => port.now(),
      send: (target, code, payload, extraTicks) => {
        const isGiven = code === busMessages.WriteResponse.code && this.isAnswered;
        if (!isGiven)
          later(() => {
            port.send(target, code, payload, extraTicks);
          });
      },
      at: (dueTicks, tag) => {
        later(() => {
          this.forgetTimer(tag);
          port.at(dueTicks, tag);
        });
      },
      cancel: (tag) => {
        later(() => {
          this.forgetTimer(tag);
          port.cancel(tag);
        });
      },
    };
  }

  /** A timer that has come while a pass was under way, and that the pass replaces or cancels. */
  private forgetTimer(tag: number): void {
    this.inputs = this.inputs.filter((input, n) => n === 0 || !('timer' in input) || input.timer !== tag);
  }

  receive(message: Message): void {
    if (message.code === ltiMessages.LR.code) {
      this.answered(decode(ltiMessages.LR, message.payload));
      return;
    }
    this.inputs.push({ message });
    if (this.inputs.length === 1) this.work();
  }

  timer(tag: number): void {
    this.inputs.push({ timer: tag });
    if (this.inputs.length === 1) this.work();
  }

  private answered({ tag, response, addressLow, addressHigh }: Record<string, number>): void {
    const key = this.asked.get(tag as number);
    if (key === undefined) return;
    this.asked.delete(tag as number);
    const isGranted = response === ltiResponse.success;
    if (isGranted) this.granted.push(tag as number);
    this.memory.answer(key, isGranted ? (addressHigh as number) * twoTo32 + (addressLow as number) : NaN);
    if (this.asked.size === 0) this.work();
  }

  /** Makes passes until one misses a translation, or nothing is left to do. */
  private work(): void {
    for (let input = this.inputs[0]; input !== undefined; input = this.inputs[0]) {
      const before = this.device.save();
      this.passes += 1;
      this.memory.begin(4 ** (this.passes - 1), this.passes > maxPasses);
      this.pass(input);
      const { missing } = this.memory;
      if (missing.length > 0) {
        this.device.restore(before);
        this.effects = [];
        this.answerEarly(input);
        for (const key of missing) this.ask(key);
        return;
      }
      this.complete();
    }
  }

  private pass(input: Input): void {
    try {
      if ('timer' in input) this.device.timer(input.timer);
      else this.device.receive(input.message);
    } catch (error) {
      if (!(error instanceof PassEnds)) throw error;
    }
  }

  private complete(): void {
    const { effects, granted } = this;
    this.effects = [];
    this.granted = [];
    this.memory.commit();
    for (const effect of effects) effect();
    this.memory.release();
    for (const tag of granted) this.port.send(this.options.tbu, ltiMessages.LC.code, [tag]);
    this.inputs.shift();
    this.passes = 0;
    this.isAnswered = false;
  }

  private answerEarly(input: Input): void {
    if (this.isAnswered || 'timer' in input || input.message.code !== busMessages.WriteRequest.code) return;
    this.isAnswered = true;
    const tag = input.message.payload[tagWord] ?? 0;
    this.port.send(input.message.source, busMessages.WriteResponse.code, [busResponse.OKAY, tag]);
  }

  private ask(key: number): void {
    const tag = this.nextTag;
    this.nextTag = (this.nextTag + 1) >>> 0;
    this.asked.set(tag, key);
    const address = pageOfKey(key);
    const fields = {
      tag,
      addressLow: address % twoTo32,
      addressHigh: Math.floor(address / twoTo32),
      access: isWriteKey(key) ? accessBit.write : accessBit.read,
      substream: 0,
    };
    this.port.send(this.options.tbu, ltiMessages.LA.code, encode(ltiMessages.LA, fields));
  }

  /** A pass under way is made again from its beginning: what it had been granted is asked for anew. */
  save(): SavedTranslatedDevice {
    const { inputs, isAnswered, nextTag } = this;
    return { version: 1, device: this.device.save(), inputs: [...inputs], isAnswered, nextTag };
  }

  restore(saved: SavedTranslatedDevice): void {
    this.device.restore(saved.device);
    for (const effect of this.effects.splice(0)) effect();
    this.inputs = [...saved.inputs];
    this.isAnswered = saved.isAnswered;
    this.nextTag = saved.nextTag;
    this.asked.clear();
    this.granted = [];
    this.passes = 0;
    if (this.inputs.length > 0) this.work();
  }
}
