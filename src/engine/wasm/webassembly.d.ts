// The part of the WebAssembly JavaScript interface that the engines use; TypeScript has it only as part of the DOM.

declare namespace WebAssembly {
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean;
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
    static customSections(module: Module, name: string): ArrayBuffer[];
    /** Modules are opaque: the member keeps other objects from passing for one. */
    private readonly compiled: never;
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>);
    readonly exports: Readonly<Record<string, CallableFunction>>;
  }
  class Memory {
    constructor(descriptor: { readonly initial: number; readonly maximum: number; readonly shared: boolean });
    readonly buffer: ArrayBufferLike;
  }
  class Table {
    constructor(descriptor: { readonly element: 'anyfunc'; readonly initial: number });
    readonly length: number;
    grow(by: number): number;
    get(index: number): CallableFunction;
    set(index: number, f: CallableFunction): void;
  }
}
