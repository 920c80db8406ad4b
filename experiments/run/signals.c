/* The one place that handles signals. A handler can only reach static memory, hence the
 * variables. */
#include "experiments/run/signals.h"
#include <signal.h>
#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t signal_seen;
static volatile time_t signal_second; /* of the clock, when it was first seen */
static const pid_t *volatile signal_children;
static volatile sig_atomic_t signal_child_count;

static time_t signal_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t); /* may be called from a handler */
    return t.tv_sec;
}

/* A second one within the same second or the next is taken for the first: timeout(1) and some
 * batch systems signal the process and then its group. */
static void signal_note(int number)
{
    if (signal_seen && signal_clock() > signal_second + 1) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    if (!signal_seen) signal_second = signal_clock();
    for (int i = 0; !signal_seen && i < signal_child_count; i++) {
        if (signal_children[i] > 0) kill(signal_children[i], number);
    }
    signal_seen = 1;
}

/* No SA_RESTART: a wait for a lock or a child returns. */
void signals_watch(void)
{
    struct sigaction a = { .sa_handler = signal_note }, hangup;
    sigemptyset(&a.sa_mask);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) /* nohup */
        sigaction(SIGHUP, &a, NULL);
}

bool signals_caught(void) { return signal_seen != 0; }

void signals_pass_to(const pid_t *children, int count)
{
    signal_child_count = 0;
    signal_children = children;
    signal_child_count = count;
}
