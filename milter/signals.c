/* signals.c - reload, reopen, drain and stop: one thread takes all signals, libmilter gets none */
#include "milter.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control.h"

enum { DRAIN_SECONDS = 60, KICK_MS = 10 };

static struct {
	pthread_t main_thread, thread;
	atomic_bool stopping;            /* we asked smfi_main to return */
	atomic_bool stopped;             /* it has */
	bool started;
} signals;

/* libmilter's own signal thread waits for SIGHUP and SIGTERM and stops at both. Its call binds to this function, which never returns: all signals are ours. */
__attribute__((visibility("default"), noreturn)) int sigwait(const sigset_t *set, int *signal_r);

int sigwait(const sigset_t *set, int *signal_r)
{
	(void)set;
	(void)signal_r;
	for (;;)
		pause();
}

static sigset_t ours(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	return set;
}

static void nothing(int signal_number)
{
	(void)signal_number;
}

void signals_block(void)
{
	struct sigaction action = { .sa_handler = nothing };
	sigset_t set = ours();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* SIGURG only interrupts the listener's poll, in the main thread alone */
	sigemptyset(&action.sa_mask);
	sigaction(SIGURG, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);                /* a limit of file sizes is an error of one write, not the end */
}

static void pause_ms(long ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

/* libmilter's listener polls for five seconds with a lock held: it is woken until it has seen that it must stop. */
static void *kick(void *unused)
{
	while (!atomic_load(&signals.stopped)) {
		pthread_kill(signals.main_thread, SIGURG);
		pause_ms(KICK_MS);
	}
	return unused;
}

/* New connections are refused, messages that have begun are finished, within a bound; a second signal ends the waiting. */
static void drain(struct winnow_engine *engine)
{
	sigset_t set = ours();
	struct timespec step = { .tv_nsec = 50 * 1000000 };
	pthread_t kicker;

	atomic_store(&signals.stopping, true);
	winnow_log(engine, WINNOW_LOG_INFO, "stopping: no new connections; %u messages are finished first", winnow_transactions_open(engine));
	nudge_stop();
	listener_stop();
	control_stop();                          /* a daemon that is started meanwhile takes both sockets */
	pthread_kill(signals.main_thread, SIGURG);
	for (int waited = 0; winnow_transactions_open(engine) > 0 && waited < DRAIN_SECONDS * 20; waited++) {
		int got = sigtimedwait(&set, NULL, &step);

		if (got == SIGTERM || got == SIGINT)
			break;
		if (got == SIGUSR1)
			winnow_log_reopen(engine);
		if (got == SIGHUP)
			winnow_log(engine, WINNOW_LOG_WARNING, "no reload while stopping: the daemon that is started next reads the configuration");
	}
	if (pthread_create(&kicker, NULL, kick, NULL) == 0)
		pthread_detach(kicker);
	smfi_stop();
}

static void reload(struct winnow_engine *engine)
{
	char *errors = NULL;

	(void)winnow_engine_reload(engine, &errors);     /* it has logged what is wrong */
	winnow_free(errors);
}

static void *take_signals(void *argument)
{
	struct winnow_engine *engine = argument;
	sigset_t set = ours();

	while (!atomic_load(&signals.stopped)) {
		switch (sigwaitinfo(&set, NULL)) {
		case SIGHUP:
			reload(engine);
			break;
		case SIGUSR1:
			winnow_log_reopen(engine);
			break;
		case SIGTERM:
		case SIGINT:
			if (!atomic_load(&signals.stopped))
				drain(engine);
			return NULL;
		default:
			break;
		}
	}
	return NULL;
}

int signals_start(struct winnow_engine *engine)
{
	signals.main_thread = pthread_self();
	signals.started = pthread_create(&signals.thread, NULL, take_signals, engine) == 0;
	return signals.started ? 0 : -1;
}

bool signals_stopping(void)
{
	return atomic_load(&signals.stopping);
}

void signals_join(void)
{
	atomic_store(&signals.stopped, true);
	if (!signals.started)
		return;
	/* if smfi_main returned by itself the thread still waits for a signal */
	pthread_kill(signals.thread, SIGTERM);
	pthread_join(signals.thread, NULL);
}
