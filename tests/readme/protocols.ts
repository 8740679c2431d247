// The message tables of actors/, as a document shows them.

import { busMessages } from '../../actors/bus/messages.ts';
import { coreMessages } from '../../actors/core/messages.ts';
import { interconnectMessages } from '../../actors/gic/interconnect.ts';
import { streamMessages } from '../../actors/gic/stream-protocol.ts';
import { wireMessages } from '../../actors/gic/wires.ts';
import { interruptLines } from '../../actors/gic-v2/messages.ts';
import { networkMessages } from '../../actors/network/messages.ts';
import { powerMessages } from '../../actors/power/messages.ts';
import { kernelMessages } from '../../actors/linux/messages.ts';
import type { MessageRow } from '../../actors/protocol.ts';
import { dtiMessages } from '../../actors/smmu/dti.ts';
import { ltiMessages } from '../../actors/smmu/lti.ts';
import { consoleMessages } from '../../actors/virtio/console-messages.ts';
import { table } from './markdown.ts';

interface Protocol {
  readonly title: string;
  readonly file: string;
  readonly messages: Readonly<Record<string, MessageRow>>;
}

const protocols: readonly Protocol[] = [
  { title: 'Bus: core and device', file: 'actors/bus/messages.ts', messages: busMessages },
  { title: 'GIC Stream Protocol: redistributor and CPU interface', file: 'actors/gic/stream-protocol.ts', messages: streamMessages },
  { title: 'Inside the GIC', file: 'actors/gic/interconnect.ts', messages: interconnectMessages },
  { title: 'Interrupt wires', file: 'actors/gic/wires.ts', messages: wireMessages },
  { title: 'Interrupt signals: GICv2 and core', file: 'actors/gic-v2/messages.ts', messages: interruptLines },
  { title: 'PSCI: core and power controller', file: 'actors/power/messages.ts', messages: powerMessages },
  { title: 'LTI: device and TBU', file: 'actors/smmu/lti.ts', messages: ltiMessages },
  { title: 'DTI-TBU: TBU and TCU', file: 'actors/smmu/dti.ts', messages: dtiMessages },
  { title: 'Frames: network card, switch and backend', file: 'actors/network/messages.ts', messages: networkMessages },
  { title: 'Bytes: console and console', file: 'actors/virtio/console-messages.ts', messages: consoleMessages },
  { title: 'Kernel of the Linux ABI and core, under `parallel`', file: 'actors/linux/messages.ts', messages: kernelMessages },
  { title: 'DVM and events: core and core', file: 'actors/core/messages.ts', messages: coreMessages },
]; // prettier-ignore

export const protocolFiles = protocols.map(({ file }) => file);

const hex = (code: number): string => `0x${code.toString(16).padStart(4, '0')}`;

export function protocolTables(): string {
  const parts = protocols.map(({ title, file, messages }) => {
    const rows = Object.entries(messages).map(([name, { code, sender, receiver, fields, reply, ordering }]) => [
      name,
      hex(code),
      `${sender} → ${receiver}`,
      fields.join(', '),
      reply ?? '',
      ordering,
    ]);
    return `**${title}** (\`${file}\`)\n\n${table(['message', 'code', 'from → to', 'payload', 'reply', 'ordering'], rows)}`;
  });
  return parts.join('\n\n');
}
