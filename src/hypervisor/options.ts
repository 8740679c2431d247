// How a Rhyper behaves where behaviours differ: which relative of the ancestor it follows, whether it shows the ancestor's defects,
// and what its work costs.

/** Which relative of the ancestor decides what is not a defect. */
export type Profile = 'rust-shyper-2023' | 'rust-shyper-2025' | 'rtshyper' | 'textbook';

/** Defects of the ancestor that can be had one at a time; all of them together are `fidelity: as-is`. */
export const quirks = {
  'panic-on-guest-fault': 'a bad access of a guest stops the whole hypervisor',
  'panic-on-failed-build': 'a VM that cannot be built stops the whole hypervisor',
  'panic-on-shutdown': 'the calls SHUTDOWN_VM and GET_VM_STATE stop the whole hypervisor',
  'reset-while-running':
    'a VM that is reset by force goes on in cleared memory until it is booted again, and its first core has a tick then',
  'no-privilege-check': 'any VM may call any function and name any VM',
  'lifo-ipi': 'messages between cores are handled newest first',
  'isv-ignored': 'a data abort without a valid syndrome is taken for an access to X0',
  'lr-victim-ignores-newcomer': 'a full set of list registers gives way to whatever comes',
  'gppt-unfiltered': 'a VM with a partially passed-through distributor reaches interrupts and cores of other VMs',
  'direct-deaf': 'the SGI of messages goes to a VM that takes its interrupts itself, and its core hears of none',
  'no-sgi-pending-registers': 'GICD_CPENDSGIR and GICD_SPENDSGIR of a VM read as zero and ignore writes',
  'psci-already-on': 'CPU_ON of a vCPU that is on returns success',
  'remove-without-waiting': 'memory of a removed VM is cleared before its cores have left it',
  'irq-list-of-two': 'lists of interrupts and streams are copied as two elements, 0 and their length',
  'one-block-request': 'one request of mediated block devices is under way at a time, over all VMs and disks',
  'block-status-early':
    'a request of a mediated block device is answered OK before it is carried out, whatever becomes of it',
  'block-waits-forever': 'a request of a mediated block device waits for the answer of the management VM for ever',
  'block-no-flush': 'a mediated block device does not offer FLUSH',
  'serror-to-guest': 'HCR_EL2.AMO is 0: a physical SError in a guest is taken at EL1',
} as const;
export type Quirk = keyof typeof quirks;
export const allQuirks = Object.keys(quirks) as readonly Quirk[];

/** What software at EL2 costs, in ticks of one instruction each: lengths of the ancestor's paths, rounded. */
export const costs = {
  /** Saving and restoring the registers of the guest at entry and exit. */
  entry: 60,
  exit: 60,
  /** Decoding a data abort and finding the device. */
  emulation: 120,
  hypercall: 80,
  /** Moving the System registers of a vCPU out of the PE and of another one into it; the SIMD&FP registers included. */
  vcpuSwitch: 400,
  schedule: 50,
  /** Writing a list register with its bookkeeping. */
  injection: 60,
  interrupt: 80,
  ipi: 50,
  /** Going through a page of event records, whatever is in them. */
  eventQueue: 500,
  /** One level of a stage-2 table. */
  mapPage: 20,
  /** Clearing or copying one page. */
  copyPage: 600,
} as const;

export interface RhyperOptions {
  readonly profile: Profile;
  readonly quirks: readonly Quirk[];
  /** WFI and WFE of guests enter EL2 and give up the core. */
  readonly trapsWaits: boolean;
  /** How virtual interrupts reach a guest: list registers, or HCR_EL2.VI and VF. */
  readonly injection: 'list-registers' | 'hcr-bits';
  /** Length of a time slice, in ticks. */
  readonly tickTicks: number;
  /** How long a request of a mediated block device waits for the management VM's answer, in ticks. */
  readonly blockPatienceTicks: number;
}
