/* Constants that the assembly and the C of these kernels share. */
#pragma once

/* Cores beyond these stay off; their number only bounds the stacks. */
#define KERNEL_CORES 64
#define KERNEL_STACK_BYTES 8192
