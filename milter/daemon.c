/* daemon.c - what a process does around its work: background, identity, pid file */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

static int ready_pipe = -1;
static char *pid_path;

void daemon_bound_memory(void)
{
#ifdef M_ARENA_MAX
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	mallopt(M_ARENA_MAX, cpus > 0 && cpus < 64 ? (int)cpus : 64);
#endif
}

void daemon_begin(void)
{
	int ends[2], status = 0;
	char byte;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0) {
		perror("winnow-milter: cannot go to the background");
		exit(EX_OSERR);
	}
	if (child == 0) {
		close(ends[0]);
		ready_pipe = ends[1];
		setsid();
		return;
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) == 1)
		exit(EX_OK);
	waitpid(child, &status, 0);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE);
}

void daemon_ready(void)
{
	int null;

	if (ready_pipe < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
	if (write(ready_pipe, "", 1) < 0)
		perror("winnow-milter");
	close(ready_pipe);
	ready_pipe = -1;
}

int identity_find(struct winnow_engine *engine, struct identity *identity_r)
{
	char *user = winnow_engine_setting(engine, "user"), *group = winnow_engine_setting(engine, "group");
	struct passwd *pw = user[0] != '\0' ? getpwnam(user) : NULL;
	struct group *gr = group[0] != '\0' ? getgrnam(group) : NULL;
	int result = 0;

	*identity_r = (struct identity){ 0 };
	if (user[0] != '\0' && pw == NULL) {
		fprintf(stderr, "winnow-milter: user \"%s\" does not exist; create it, or name another in `user`\n", user);
		result = -1;
	} else if (group[0] != '\0' && gr == NULL) {
		fprintf(stderr, "winnow-milter: group \"%s\" does not exist; create it, or name another in `group`\n", group);
		result = -1;
	} else if (pw == NULL && gr != NULL && geteuid() == 0) {
		fprintf(stderr, "winnow-milter: `group` is set and `user` is not: it would go on as root; name the user too\n");
		result = -1;
	} else if (pw != NULL && geteuid() == 0) {
		identity_r->change = true;
		identity_r->uid = pw->pw_uid;
		identity_r->gid = gr != NULL ? gr->gr_gid : pw->pw_gid;
		snprintf(identity_r->name, sizeof(identity_r->name), "%s", user);
	}
	winnow_free(user);
	winnow_free(group);
	return result;
}

int identity_take(const struct identity *identity)
{
	if (!identity->change)
		return 0;
	if (initgroups(identity->name, identity->gid) != 0 || setgid(identity->gid) != 0 || setuid(identity->uid) != 0
	    || (identity->uid != 0 && setuid(0) == 0)) {
		fprintf(stderr, "winnow-milter: cannot become user %s: %s\n", identity->name, strerror(errno));
		return -1;
	}
	return 0;
}

int pid_file_write(struct winnow_engine *engine)
{
	char *path = winnow_engine_setting(engine, "pid_file");
	FILE *f;

	if (path[0] == '\0') {
		winnow_free(path);
		return 0;
	}
	f = fopen(path, "we");
	if (f == NULL || fprintf(f, "%d\n", (int)getpid()) < 0 || fclose(f) != 0) {
		fprintf(stderr, "winnow-milter: pid_file %s: %s\n", path, strerror(errno));
		winnow_free(path);
		return -1;
	}
	pid_path = path;
	return 0;
}

/* A daemon that was started while this one drained may have written its own pid there: that stays. */
void pid_file_remove(void)
{
	FILE *f = pid_path != NULL ? fopen(pid_path, "re") : NULL;
	int pid = 0;

	if (f != NULL) {
		if (fscanf(f, "%d", &pid) == 1 && pid == (int)getpid())
			(void)unlink(pid_path);
		fclose(f);
	}
	winnow_free(pid_path);
	pid_path = NULL;
}
