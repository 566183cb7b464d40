#include "core/base/memory.h"

#include <assert.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* One per thread. What is freed elsewhere makes one counter negative and the
 * other too large: only the sum means something. */
struct counter {
    _Atomic int64_t bytes; /* Written by its thread alone. */
    struct counter *next;
    struct counter **link; /* What points at this counter. Both are under list_mutex. */
    bool enlisted;         /* Its thread's alone. */
};

static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static struct counter *counters;    /* Of the threads that live. Under list_mutex. */
static _Atomic int64_t ended_bytes; /* What the threads that ended have left. */

static _Thread_local struct counter counter;
static cx_memory_hook hook;
static void *hook_arg;

/* A thread ends: what it counted stays in the sum. */
static void on_thread_end(void *arg)
{
    struct counter *ended = arg;

    pthread_mutex_lock(&list_mutex);
    *ended->link = ended->next;
    if (ended->next != NULL) {
        ended->next->link = ended->link;
    }
    ended->enlisted = false;
    atomic_fetch_add(&ended_bytes, atomic_exchange(&ended->bytes, 0));
    pthread_mutex_unlock(&list_mutex);
}

static void create_key(void)
{
    int error = pthread_key_create(&key, on_thread_end);

    assert(error == 0);
    (void)error;
}

static void counter_enlist(void)
{
    pthread_once(&key_once, create_key);
    pthread_setspecific(key, &counter);
    counter.enlisted = true;
    pthread_mutex_lock(&list_mutex);
    counter.next = counters;
    counter.link = &counters;
    if (counters != NULL) {
        counters->link = &counter.next;
    }
    counters = &counter;
    pthread_mutex_unlock(&list_mutex);
}

static void count(int64_t bytes)
{
    if (!counter.enlisted) {
        counter_enlist();
    }
    atomic_store_explicit(&counter.bytes,
                          atomic_load_explicit(&counter.bytes, memory_order_relaxed) + bytes,
                          memory_order_relaxed);
}

static bool refused(size_t size)
{
    return hook != NULL && !hook(hook_arg, size);
}

void *cx_alloc(size_t size)
{
    void *memory = refused(size) ? NULL : malloc(size);

    if (memory != NULL) {
        count((int64_t)malloc_usable_size(memory));
    }
    return memory;
}

void *cx_calloc(size_t size)
{
    void *memory = refused(size) ? NULL : calloc(1, size);

    if (memory != NULL) {
        count((int64_t)malloc_usable_size(memory));
    }
    return memory;
}

void *cx_realloc(void *memory, size_t size)
{
    int64_t before = (int64_t)malloc_usable_size(memory);
    void *moved = refused(size) ? NULL : realloc(memory, size);

    if (moved != NULL) {
        count((int64_t)malloc_usable_size(moved) - before);
    }
    return moved;
}

void cx_free(void *memory)
{
    if (memory == NULL) {
        return;
    }
    count(-(int64_t)malloc_usable_size(memory));
    free(memory);
}

int64_t cx_memory_used(void)
{
    int64_t sum = atomic_load(&ended_bytes);

    pthread_mutex_lock(&list_mutex);
    for (const struct counter *each = counters; each != NULL; each = each->next) {
        sum += atomic_load_explicit(&each->bytes, memory_order_relaxed);
    }
    pthread_mutex_unlock(&list_mutex);
    return sum;
}

void cx_memory_set_hook(cx_memory_hook new_hook, void *arg)
{
    hook_arg = arg;
    hook = new_hook;
}
