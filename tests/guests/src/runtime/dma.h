/* The registers of Heddle's DMA engine: offsets and bits. */
#pragma once

enum {
    dma_id = 0x00,
    dma_control = 0x08,
    dma_status = 0x0c,
    dma_interrupt_clear = 0x10,
    dma_substream = 0x14,
    dma_source = 0x18,
    dma_target = 0x20,
    dma_length = 0x28,
    dma_list = 0x30,
    dma_count = 0x38,
    dma_fault = 0x40,
};
/* DMA_CONTROL. */
enum { dma_start = 1, dma_use_list = 2, dma_privileged = 4, dma_done_enable = 0x10, dma_error_enable = 0x20 };
/* DMA_STATUS, and what DMA_INTERRUPT_CLEAR clears of it. */
enum { dma_busy = 1, dma_done = 2, dma_error = 4 };
