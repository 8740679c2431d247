import type { Message, Port } from '../../actors/actor.ts';
import { type Host, makeHost } from '../../workers/host.ts';

interface LoneDevice {
  readonly host: Host;
  readonly port: Port;
  /** Messages and tags of timers, in the order in which the device has heard of them. */
  readonly heard: (Message | number)[];
}

interface Surroundings {
  readonly clock?: () => number;
  /** Accepts what other hosts have sent. */
  readonly receive?: (host: Host) => void;
  /** What the device does with a message. */
  readonly answer?: (port: Port, message: Message) => void;
}

/** A host with one device, number 3, whose port the test uses itself. */
export function loneDevice({ clock, receive, answer }: Surroundings = {}): LoneDevice {
  const heard: (Message | number)[] = [];
  let port: Port | undefined;
  const host: Host = makeHost({
    actors: [
      {
        id: 3,
        make: (given) => {
          port = given;
          return {
            receive: (message) => {
              heard.push(message);
              answer?.(given, message);
            },
            timer: (tag) => heard.push(tag),
            save: () => undefined,
            restore: () => undefined,
          };
        },
      },
    ],
    coreCount: 0,
    lookaheadTicks: 20,
    forward: () => undefined,
    ...(clock && { clock }),
    ...(receive && { receive: () => receive(host) }),
  });
  return { host, port: port as unknown as Port, heard };
}
