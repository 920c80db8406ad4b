/* A path in a process of its own. Commands are bytes, answers are structs: both ends are the same
 * program. The socket says nothing of a process that dies but its end, which is told as such. */
#include "experiments/bench/process.h"
#include "core/base/clock.h"
#include "core/base/parallel.h"
#include "experiments/bench/step.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_WARM = 'w', COMMAND_STEP = 's', COMMAND_REPORT = 'r' };

static bool all_send(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool all_receive(int fd, void *data, size_t len)
{
    char *at = data;
    while (len > 0) {
        ssize_t n = recv(fd, at, len, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

struct ready {
    bool ok;
    char why[sizeof(((struct err *)0)->text)];
};

static bool step_answer(struct bench_step *s, int fd, bool timed)
{
    struct bench_sample sample = { .gflops = bench_peak(&s->bench->point->spec) };
    const double begin = clock_seconds();
    bench_step_run(s, timed);
    sample.seconds = clock_seconds() - begin;
    return all_send(fd, &sample, sizeof sample);
}

static bool report_answer(struct bench_step *s, int fd)
{
    const struct bench_path *f = bench_step_facts(s);
    return all_send(fd, f, sizeof *f) &&
           all_send(fd, f->layers, (size_t)f->n_layers * sizeof *f->layers);
}

static _Noreturn void process_serve(int fd, const struct bench *b, bool reference)
{
    struct bench_step s;
    struct err e;
    struct ready ready = { .ok = bench_step_create(&s, b, reference, &e) };
    if (!ready.ok) memcpy(ready.why, e.text, sizeof ready.why);
    bool on = all_send(fd, &ready, sizeof ready) && ready.ok;
    while (on) {
        char command;
        if (!all_receive(fd, &command, 1)) break;
        on = command == COMMAND_REPORT ? report_answer(&s, fd)
                                       : step_answer(&s, fd, command == COMMAND_STEP);
    }
    _exit(0);
}

static bool process_gone(const struct bench_process *p, struct err *e)
{
    int status = 0;
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR) continue;
    if (WIFSIGNALED(status))
        return err_set(e,
                       "a measuring process was ended by signal %d (%s): too little memory? A "
                       "smaller train.batch_size needs less",
                       WTERMSIG(status), strsignal(WTERMSIG(status)));
    return err_set(e, "a measuring process ended with status %d", WEXITSTATUS(status));
}

bool bench_process_start(struct bench_process *p, const struct bench *b, bool reference,
                         struct err *e)
{
    int ends[2];
    struct ready ready;
    pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set(e, "no socket to a measuring process: %s", strerror(errno));
    parallel_pause();
    fflush(NULL);
    p->pid = fork();
    if (p->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(1);
        close(ends[0]);
        process_serve(ends[1], b, reference);
    }
    close(ends[1]);
    p->fd = ends[0];
    if (p->pid < 0) {
        close(ends[0]);
        p->pid = 0;
        return err_set(e, "no measuring process: %s", strerror(errno));
    }
    if (!all_receive(p->fd, &ready, sizeof ready)) return process_gone(p, e);
    return ready.ok || err_set(e, "%s", ready.why);
}

bool bench_process_step(const struct bench_process *p, bool timed, struct bench_sample *out,
                        struct err *e)
{
    const char command = timed ? COMMAND_STEP : COMMAND_WARM;
    if (all_send(p->fd, &command, 1) && all_receive(p->fd, out, sizeof *out)) return true;
    return process_gone(p, e);
}

bool bench_process_report(const struct bench_process *p, struct bench_path *out, struct err *e)
{
    const char command = COMMAND_REPORT;
    if (!all_send(p->fd, &command, 1) || !all_receive(p->fd, out, sizeof *out)) {
        *out = (struct bench_path){ .ran = false };
        return process_gone(p, e);
    }
    const size_t n = (size_t)out->n_layers;
    out->layers = n ? mem_new(n, sizeof *out->layers) : NULL;
    return !n || all_receive(p->fd, out->layers, n * sizeof *out->layers) || process_gone(p, e);
}

void bench_process_end(struct bench_process *p)
{
    if (!p->pid) return;
    shutdown(p->fd, SHUT_RDWR); /* processes that were forked later hold this socket, too */
    close(p->fd);
    while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR) continue;
    p->pid = 0;
}
