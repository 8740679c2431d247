// One instruction per line, in the spellings that GNU as takes beside those that objdump prints.
// expected.sh makes instructions.hex of it.

// Registers: other names, letter case, with and without #.
mov fp, sp
MOV X29, SP
Mov w0, WZR
add lr, ip0, ip1
add x0, x1, 16
add x0, x1, #0x10
add x0, x1, #020
add x0, x1, #0b1010
add x0, x1, #'A'
sub sp, sp, #(4 * 8)

// Add and subtract: which encoding.
add x0, x1, x2
add x0, x1, x2, lsl #0
add x0, x1, x2, lsl 3
add sp, x1, x2
add x0, sp, x2
add sp, sp, x2, lsl #4
add wsp, w1, w2
add w0, wsp, w2, lsl #1
add x0, sp, x2, uxtx
add x0, sp, w2, uxtw
add x0, x1, w2, uxtw
add x0, x1, w2, sxtw #2
add x0, x1, w2, sxtb 3
add x0, x1, x2, sxtx #4
add x0, x1, x2, uxtx
add w0, w1, w2, uxtb
adds x0, sp, x2
subs x0, sp, w2, uxth #1
cmp sp, x2
cmp sp, x2, lsl #2
cmp x1, w2, sxth
cmp wsp, w2
cmn sp, #1
cmn x1, x2, asr #3
cmp x0, #-1
cmp w0, #-4095
cmn x0, #-4096
add x0, x1, #-5
adds x0, x1, #-0x1000
sub x0, x1, #-5
subs w0, w1, #-1
add x0, x1, #4096
add x0, x1, #0xfff000
add x0, x1, #1, lsl #12
add x0, x1, #1, lsl #0
add x0, x1, #0, lsl #12
neg x0, x1
neg w0, w1, lsr #31
negs x0, x1, asr #63
ngc x0, x1
ngcs w0, w1
adc x0, x1, x2
sbcs w0, w1, w2

// Moves.
mov x0, x1
mov w0, w1
mov x0, sp
mov sp, x0
mov wsp, w0
mov x0, xzr
mov x0, #0
mov w0, #0
mov x0, #0xffff
mov x0, #0x10000
mov x0, #0x1234000000000000
mov x0, #-1
mov w0, #-1
mov w0, #0xffffffff
mov x0, #0xffffffff
mov x0, #-0x10001
mov x0, #0xffffffffffff1234
mov w0, #0xffff
mov w0, #0xffff0000
mov w0, #0x1234ffff
mov x0, #0x5555555555555555
mov w0, #0x55555555
mov w0, #-0x55555556
mov sp, #0x20000
mov wsp, #0xff00ff00
mov x0, #~0
mov x0, #(1 << 40)
movz x0, #0x1234, lsl #48
movz x0, #0, lsl #16
movn w0, #0xffff
movn x0, #0, lsl #32
movk x0, #0xffff
movk w0, #1, lsl 16
mvn x0, x1
mvn w0, w1, ror #7

// Logical.
and x0, x1, #0xff
and x0, x1, #-2
and w0, w1, #-2
and sp, x1, #0xf0
orr x0, x1, #0xaaaaaaaaaaaaaaaa
eor w0, w1, #0x80000001
ands xzr, x1, #7
tst x1, #0x8000000000000000
tst w1, #1
bic x0, x1, #1
bic x0, x1, x2, ror #9
tst x1, x2, lsl #3
eon w0, w1, w2, asr #31

// Bitfields, shifts, extract.
lsl x0, x1, #0
lsl x0, x1, #63
lsl w0, w1, #31
lsl x0, x1, x2
lslv x0, x1, x2
lsr x0, x1, #1
lsr w0, w1, w2
asr x0, x1, #63
asr w0, w1, #0
asrv w0, w1, w2
ror x0, x1, #3
ror w0, w1, w2
rorv x0, x1, x2
extr x0, x1, x2, #5
extr w0, w1, w1, #31
ubfx x0, x1, #4, #8
ubfx x0, x1, #0, #64
ubfx w0, w1, #0, #8
sbfx x0, x1, #63, #1
ubfiz x0, x1, #60, #4
ubfiz x0, x1, #0, #8
sbfiz w0, w1, #1, #31
bfi x0, x1, #0, #16
bfi w0, w1, #31, #1
bfxil x0, x1, #8, #8
bfc x0, #3, #4
bfc w0, #0, #32
sbfm x0, x1, #3, #60
ubfm w0, w1, #31, #0
bfm x0, x1, #1, #2
sxtb x0, w1
sxth w0, w1
sxtw x0, w1
uxtb w0, w1
uxth w0, w1

// Multiply, divide, one source, CRC.
mul x0, x1, x2
madd x0, x1, x2, xzr
mneg w0, w1, w2
msub x0, x1, x2, x3
smull x0, w1, w2
umaddl x0, w1, w2, x3
umnegl x0, w1, w2
smulh x0, x1, x2
udiv w0, w1, w2
rev x0, x1
rev64 x0, x1
rev32 x0, x1
rev w0, w1
rev16 w0, w1
clz x0, x1
crc32x w0, w1, x2
crc32cb w0, w1, w2

// Conditional.
csel x0, x1, x2, hs
csel x0, x1, x2, LO
csel w0, w1, w2, nv
cset w0, eq
csetm x0, cs
cinc x0, x1, none
cinv w0, w1, mi
cneg x0, x1, lt
csinc x0, xzr, xzr, al
csinc x0, x1, x1, al
ccmp x0, #31, #15, ne
ccmn w0, w1, #0, ge
rmif x0, #5, #3
setf8 w1
cfinv

// Branches; the place is `.`.
b .
b .+8
bl . - 4
b.eq .
beq .+4
b.hs .-16
bhs .
blo .+12
bcc .
b.none .
cbz w0, .+4
cbnz xzr, .-4
tbz x0, #3, .+8
tbz w0, #31, .
tbnz x0, #63, .-8
br x1
blr lr
ret
ret x1
eret
adr x0, .
adr x0, .+1
adr x0, .-3

// Loads and stores.
ldr x0, [x1]
ldr x0, [x1, #0]
ldr x0, [sp, 8]
ldr x0, [x1, #32760]
ldr x0, [x1, #-8]
ldr x0, [x1, #1]
ldr w0, [x1, #255]
ldrb w0, [x1, #4095]
ldrb w0, [x1, #-1]
ldrsh x0, [x1, #-2]
ldrsb w0, [x1, #3]
ldrsw x0, [x1, #4]
str xzr, [sp, #-16]!
str x0, [x1], #8
ldr x0, [x1, #0]!
ldr x0, [x1], #0
ldr x0, [x1, x2]
ldr x0, [x1, x2, lsl #0]
ldr x0, [x1, x2, lsl #3]
ldr x0, [x1, w2, uxtw]
ldr x0, [x1, w2, uxtw #0]
ldr x0, [x1, w2, sxtw #3]
ldr x0, [x1, x2, sxtx]
ldrb w0, [x1, x2]
ldrb w0, [x1, x2, lsl #0]
ldrb w0, [x1, w2, uxtw]
ldrb w0, [x1, w2, uxtw #0]
ldrh w0, [x1, x2, lsl 1]
ldur x0, [x1]
stur w0, [x1, #-256]
ldtr x0, [x1, #8]
sttrb w0, [x1]
ldp x0, x1, [sp]
ldp x0, x1, [sp], #16
stp x29, x30, [sp, #-32]!
stp w0, w1, [x2, #252]
ldpsw x0, x1, [x2, #-256]
ldnp x0, x1, [x2, #8]
stnp w0, w1, [x2]
ldr q0, [x1, #16]
ldr d0, [x1, x2, lsl #3]
str s0, [x1, #4]
str h0, [x1, #-1]
ldr b31, [x1], #1
ldp q0, q1, [x2, #32]
stp d8, d9, [sp, #-16]!
ldxr x0, [x1]
ldxr x0, [x1, #0]
stxr w0, x1, [sp]
ldaxrb w0, [x1]
stlxp w0, x1, x2, [x3]
ldar w0, [x1]
stlrh w0, [x1]
ldlar x0, [x1]
ldapr w0, [x1]
ldapur x0, [x1, #-8]
stlurb w0, [x1, #255]
cas w0, w1, [x2]
casalb w0, w1, [x2]
casp x0, x1, x2, x3, [x4]
caspal w30, wzr, w2, w3, [sp]
ldadd w0, w1, [x2]
ldaddal x0, xzr, [x2]
ldadda x0, xzr, [x2]
stadd w0, [x1]
staddlh w0, [x1]
ldclr x0, xzr, [x1]
swpalb w0, w1, [x2]
stumax x0, [sp]
prfm pldl1keep, [x0]
prfm pstl3strm, [x0, #8]
prfm #6, [x0, x1, lsl #3]
prfm plil2keep, [x0, #-1]
prfum pldl1strm, [x0]

// System.
svc #0
svc 0xffff
hvc #1
smc #0
brk #0xf000
hlt #0xf000
dcps1
dcps3 #1
udf #0
nop
yield
wfe
wfi
sev
sevl
hint #0
hint #6
hint #34
hint #127
bti c
bti
psb csync
esb
csdb
paciasp
clrex
clrex #3
dmb ish
dmb #11
dsb sy
dsb #15
dsb ishst
dmb #2
dmb 0
isb
isb sy
isb #15
isb #2
ssbb
pssbb
sb
msr daifset, #2
msr DAIFClr, #0xf
msr spsel, 1
msr pan, #0
msr uao, #1
mrs x0, s3_0_c1_c0_0
msr S3_0_C12_C0_0, x0
mrs x0, S2_0_C0_C2_2
sys #3, C7, C4, #1, x0
sys #0, c7, c5, #0
sysl x0, #3, C7, C4, #1
dc zva, x0
dc CVAU, x1
ic iallu
ic ivau, x2
at s1e1r, x3
at s12e0w, x3
tlbi vmalle1is
tlbi alle1
tlbi vae1is, x4
tlbi ipas2e1is, x5
tlbi rvae1, x6
cfp rctx, x7
