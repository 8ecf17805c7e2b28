/* Where Python code may run: inline, on a stack of our own, or on a worker. See place.h. */
#include "python/place.h"

#include <sys/mman.h>

#include "python/worker.h"

/* What CPython needs to reach its own recursion limits first, whatever recurses (sorted(key=...), repr of nested lists,
 * __getattr__). 3.11 counts C and Python calls together and is content with 6 MiB; 3.12 and 3.13 allow 10,000 calls in C, for
 * which a thread's usual 8 MiB are just about enough: these always switch. From 3.14 on the interpreter looks at the stack's
 * end instead, so any stack will do that has room for what somebody means to do. A bigger one does harm: a repr() looks
 * through all objects that it is in the middle of, so one without end takes seconds in 24 MiB, and nobody else gets the
 * interpreter meanwhile. */
#if PY_VERSION_HEX >= 0x030e0000
#define ROOM_NEEDED (4u << 20)
#define PRIVATE_STACK (8u << 20)
#elif PY_VERSION_HEX >= 0x030c0000
#define ROOM_NEEDED (12u << 20)
#define PRIVATE_STACK (24u << 20)
#else
#define ROOM_NEEDED (6u << 20)
#define PRIVATE_STACK (24u << 20)
#endif
#define GUARD GLUPY_PRIVATE_GUARD

/* stack_switch.S: call fn(arg) with the stack pointer at `top`, then come back to this stack. */
void glupy_stack_call(void (*fn)(void *), void *arg, void *top);

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define SWITCH_BEGIN(save, low, size) __sanitizer_start_switch_fiber(save, low, size)
#define SWITCH_END(save) __sanitizer_finish_switch_fiber(save, NULL, NULL)
#else
#define SWITCH_BEGIN(save, low, size) ((void)0)
#define SWITCH_END(save) ((void)0)
#endif

static bool
within(const char *address, const char *low, const char *high)
{
    return address >= low && address < high;
}

/* Mapped lazily by the kernel: a thread pays for the pages that its translators have touched. */
static bool
make_private_stack(struct glupy_thread *thread)
{
    char *low = mmap(NULL, PRIVATE_STACK + GUARD, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

    if (low == MAP_FAILED)
        return false;
    mprotect(low, GUARD, PROT_NONE);
    thread->private_low = low;
    thread->private_high = low + GUARD + PRIVATE_STACK;
    return true;
}

void
glupy_place_free_stack(struct glupy_thread *thread)
{
    if (thread->private_low)
        munmap(thread->private_low, PRIVATE_STACK + GUARD);
    thread->private_low = NULL;
}

enum glupy_place
glupy_place(struct glupy_thread **out)
{
    struct glupy_thread *thread;
    char *here = __builtin_frame_address(0);

    if (synctask_get() || glupy_python_gone())
        return GLUPY_WORKER;
    thread = *out = glupy_thread();
    if (!thread)
        return GLUPY_WORKER;
    if (within(here, thread->private_low, thread->private_high))
        return (size_t)(here - thread->private_low) > ROOM_NEEDED ? GLUPY_INLINE : GLUPY_WORKER;
    if (!within(here, thread->stack_low, thread->stack_high))
        return GLUPY_WORKER;
    if ((size_t)(here - thread->stack_low) > ROOM_NEEDED)
        return GLUPY_INLINE;
    if (!thread->private_low && !make_private_stack(thread))
        return GLUPY_WORKER;
    return GLUPY_SWITCHED;
}

struct switched_call {
    struct glupy_thread *thread;
    unsigned interpreter;
    enum glupy_stay stay;
    void (*fn)(struct glupy_thread *, void *);
    void *arg;
    void *fake_stack; /* of the address sanitizer */
    const void *from_low;
    size_t from_size;
};

static void
call_inside(struct glupy_thread *thread, unsigned interpreter, enum glupy_stay stay,
            void (*fn)(struct glupy_thread *, void *), void *arg)
{
    bool gate = false;

    if (stay == GLUPY_SHORT)
        gate = glupy_enter_in_turn(thread, interpreter);
    else
        glupy_enter(thread, interpreter);
    fn(thread, arg);
    glupy_leave_in_turn(thread, interpreter, gate);
}

#if PY_VERSION_HEX >= 0x030e0100
/* From 3.14 on the interpreter compares the stack pointer with the thread's bounds: tell it that they have moved. */
static void
tell_bounds(struct glupy_thread *thread, unsigned interpreter, void *low, size_t size)
{
    glupy_enter(thread, interpreter);
    PyUnstable_ThreadState_SetStackProtection(thread->tstates[interpreter], low, size);
    glupy_leave(thread);
}
#else
static void
tell_bounds(struct glupy_thread *thread, unsigned interpreter, void *low, size_t size)
{
    (void)thread;
    (void)interpreter;
    (void)low;
    (void)size;
}
#endif

static void
on_private_stack(void *arg)
{
    struct switched_call *call = arg;

    SWITCH_END(NULL);
    call_inside(call->thread, call->interpreter, call->stay, call->fn, call->arg);
    SWITCH_BEGIN(&call->fake_stack, call->from_low, call->from_size);
}

static void
call_switched(struct glupy_thread *thread, unsigned interpreter, enum glupy_stay stay,
              void (*fn)(struct glupy_thread *, void *), void *arg)
{
    struct switched_call call = {
        .thread = thread,
        .interpreter = interpreter,
        .stay = stay,
        .fn = fn,
        .arg = arg,
        .from_low = thread->stack_low,
        .from_size = (size_t)(thread->stack_high - thread->stack_low),
    };
    void *fake_stack = NULL;

    tell_bounds(thread, interpreter, thread->private_low + GUARD, PRIVATE_STACK);
    SWITCH_BEGIN(&fake_stack, thread->private_low + GUARD, PRIVATE_STACK);
    glupy_stack_call(on_private_stack, &call, thread->private_high);
    SWITCH_END(fake_stack);
    tell_bounds(thread, interpreter, thread->stack_low, call.from_size);
    (void)fake_stack;
}

void
glupy_call_python(struct glupy_thread *thread, enum glupy_place place, unsigned interpreter, enum glupy_stay stay,
                  void (*fn)(struct glupy_thread *, void *), void *arg)
{
    if (place == GLUPY_INLINE)
        call_inside(thread, interpreter, stay, fn, arg);
    else
        call_switched(thread, interpreter, stay, fn, arg);
}
