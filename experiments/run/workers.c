/* Forks workers and shows what they say. Workers are in process groups of their own, so that a
 * Ctrl-C reaches each of them once: through the parent. */
#include "experiments/run/workers.h"
#include "core/base/mem.h"
#include "experiments/run/signals.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REFRESH_MS = 500 };

static _Noreturn void worker(const struct jobs_work *w, int slot, struct progress *p, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(255);
    setpgid(0, 0);
    signals_pass_to(NULL, 0);
    int result = w->work(w->ctx, slot, p);
    fflush(NULL);
    _exit(result);
}

/* Shows messages until every worker has closed its end. Between them it looks whether the window
 * has changed its size. */
static void messages_show(int from, struct progress *p)
{
    struct progress_message m;
    struct pollfd ready = { .fd = from, .events = POLLIN };
    for (;;) {
        if (poll(&ready, 1, REFRESH_MS) == 0) {
            progress_refresh(p);
            continue;
        }
        ssize_t n = read(from, &m, sizeof m);
        if (n < 0 && errno == EINTR) continue;
        if (n != (ssize_t)sizeof m) return;
        progress_show(p, &m);
    }
}

static int workers_wait(const pid_t *workers, int count)
{
    int worst = 0;
    for (int i = 0; i < count; i++) {
        int status = 0;
        while (waitpid(workers[i], &status, 0) < 0 && errno == EINTR) continue;
        int result = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
        if (result > worst) worst = result;
    }
    return worst;
}

bool jobs_run(int jobs, const struct jobs_work *w, struct progress *p, int *worst, struct err *e)
{
    int ends[2], started = 0;
    if (pipe(ends) != 0) return err_set(e, "no pipe to the workers: %s", strerror(errno));
    pid_t *workers = mem_new((size_t)jobs, sizeof *workers), parent = getpid();
    signals_pass_to(workers, jobs);
    for (; started < jobs; started++) {
        pid_t child = fork();
        if (child < 0) break;
        if (child == 0) {
            close(ends[0]);
            p->pipe = ends[1];
            p->slot = started;
            worker(w, started, p, parent);
        }
        workers[started] = child;
        if (signals_caught()) kill(child, SIGTERM); /* the signal came between two forks */
    }
    int why = errno;
    close(ends[1]);
    messages_show(ends[0], p);
    close(ends[0]);
    *worst = workers_wait(workers, started);
    signals_pass_to(NULL, 0);
    free(workers);
    return started > 0 || err_set(e, "no worker could be started: %s", strerror(why));
}
