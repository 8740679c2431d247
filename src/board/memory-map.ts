// The physical memory map of QEMU's `virt` machine (as of 7.2), for the parts that Heddle has or names. RAM begins at 1 GiB; everything
// below it is flash and devices. SPI numbers are the devices' inputs of the GIC: the INTID is 32 more.

export interface Region {
  readonly base: number;
  readonly sizeBytes: number;
  /** The first shared peripheral interrupt of the device, where it has one. */
  readonly spi?: number;
}

const KiB = 0x400;
const MiB = 0x10_0000;

/** The largest RAM: the memory that the simulated machine lives in ends at 4 GiB, and RAM lies at its own physical address. */
export const maxMemoryBytes = 3072 * MiB;

/** Distance from one redistributor to the next: the RD_base and the SGI_base frame of 64 KiB each. */
export const redistributorStride = 128 * KiB;

/** The virtio-mmio transports: equal slots side by side, each with an SPI of its own. */
export const virtioSlotCount = 32;

export const memoryMap = {
  flash: { base: 0x0000_0000, sizeBytes: 128 * MiB },
  gicDistributor: { base: 0x0800_0000, sizeBytes: 64 * KiB },
  /** Of a GICv2: the frames of a CPU interface, of the virtual interface control, and of the virtual CPU interface. */
  gicCpuInterface: { base: 0x0801_0000, sizeBytes: 64 * KiB },
  gicVirtualControl: { base: 0x0803_0000, sizeBytes: 64 * KiB },
  gicVirtualCpuInterface: { base: 0x0804_0000, sizeBytes: 64 * KiB },
  /** Room for 123 redistributors. */
  gicRedistributors: { base: 0x080a_0000, sizeBytes: 123 * redistributorStride },
  uart: { base: 0x0900_0000, sizeBytes: 4 * KiB, spi: 1 },
  rtc: { base: 0x0901_0000, sizeBytes: 4 * KiB, spi: 2 },
  fwCfg: { base: 0x0902_0000, sizeBytes: 0x18 },
  gpio: { base: 0x0903_0000, sizeBytes: 4 * KiB, spi: 7 },
  secureUart: { base: 0x0904_0000, sizeBytes: 4 * KiB, spi: 8 },
  /** Registers in two pages of 64 KiB; interrupts: eventq, priq, cmdq-sync, gerror. */
  smmu: { base: 0x0905_0000, sizeBytes: 128 * KiB, spi: 74 },
  /** Heddle's own, in a place that QEMU leaves empty. */
  dma: { base: 0x090c_0000, sizeBytes: 4 * KiB, spi: 10 },
  virtio: { base: 0x0a00_0000, sizeBytes: 0x200, spi: 16 },
  /** Virtio transports that act for virtual machines: not QEMU's, in what is its platform bus. */
  vmTransports: { base: 0x0c00_0000, sizeBytes: 4 * KiB, spi: 112 },
  /** UARTs of virtual machines, side by side; not of QEMU's board, which has nothing here. */
  guestUarts: { base: 0x0b00_0000, sizeBytes: 4 * KiB, spi: 80 },
  ram: { base: 0x4000_0000, sizeBytes: maxMemoryBytes },
  /** The redistributors from core 123 on, at 256 GiB: above every RAM that the board can have. */
  gicHighRedistributors: { base: 0x40_0000_0000, sizeBytes: 64 * MiB },
} as const satisfies Record<string, Region>;

const nth = ({ base, sizeBytes, spi }: Required<Region>, n: number): Required<Region> => ({
  base: base + n * sizeBytes,
  sizeBytes,
  spi: spi + n,
});

/** The DMA engines: equal slots side by side, each with an SPI and a StreamID of its own. */
export const dmaEngineCount = 4;

/** The n-th DMA engine. */
export const dmaEngine = (n: number): Required<Region> & { readonly streamId: number } => ({
  ...nth(memoryMap.dma, n),
  streamId: 1 + n,
});

/** The n-th virtio-mmio transport, with the StreamID that it has behind an SMMU. */
export const virtioSlot = (n: number): Required<Region> & { readonly streamId: number } => ({
  ...nth(memoryMap.virtio, n),
  streamId: 0x20 + n,
});

/** The UART of the n-th virtual machine that has one, the MVM's aside. */
export const guestUart = (n: number): Required<Region> => nth(memoryMap.guestUarts, n);
/** The n-th transport that acts for a virtual machine. */
export const vmTransport = (n: number): Required<Region> => nth(memoryMap.vmTransports, n);
