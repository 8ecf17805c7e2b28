/* void glupy_stack_call(void (*fn)(void *), void *arg, void *top)
 *
 * Call fn(arg) with the stack pointer at `top` (16-byte aligned, stacks grow down) and come back on the caller's stack.
 * A step of Python always runs to its end before it comes back, so there is no second context to keep: no more is saved
 * than the old stack pointer, in a register that fn preserves. Cheaper than swapcontext by its two system calls. */
        .text
        .globl  glupy_stack_call
        .hidden glupy_stack_call
        .type   glupy_stack_call, %function
#if defined(__x86_64__)
glupy_stack_call:
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        movq    %rdi, %rax
        movq    %rsi, %rdi
        movq    %rdx, %rsp
        call    *%rax
        movq    %rbp, %rsp
        popq    %rbp
        .cfi_def_cfa %rsp, 8
        ret
        .cfi_endproc
#elif defined(__aarch64__)
glupy_stack_call:
        .cfi_startproc
        hint    #34
        stp     x29, x30, [sp, #-16]!
        .cfi_def_cfa_offset 16
        .cfi_offset x29, -16
        .cfi_offset x30, -8
        mov     x29, sp
        .cfi_def_cfa_register x29
        mov     x9, x0
        mov     x0, x1
        mov     sp, x2
        blr     x9
        mov     sp, x29
        ldp     x29, x30, [sp], #16
        .cfi_def_cfa sp, 0
        ret
        .cfi_endproc
#else
#error "stack_switch.S: write glupy_stack_call for this processor"
#endif
        .size   glupy_stack_call, .-glupy_stack_call
        .section .note.GNU-stack, "", %progbits
