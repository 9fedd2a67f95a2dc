#include "gate/jail.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"

#define MEMORY (2u << 30)
#define FILE_SIZE (16u << 20)
#define FILES 256
#define PROCESSES 128

static void
limit(int what, rlim_t most)
{
	const struct rlimit r = { most, most };

	(void)setrlimit(what, &r);	/* never raises, so it may fail to */
}

static void
limits(const struct jail *j)
{
	limit(RLIMIT_CPU, (rlim_t)j->seconds);
	limit(RLIMIT_AS, MEMORY);
	limit(RLIMIT_FSIZE, FILE_SIZE);
	limit(RLIMIT_NOFILE, FILES);
	limit(RLIMIT_CORE, 0);
#ifdef RLIMIT_NPROC
	limit(RLIMIT_NPROC, PROCESSES);
#endif
}

#ifdef __linux__
#include <dirent.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifdef __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#endif
#define X32 0x40000000u		/* the other calling convention of x86-64 */
#ifndef __NR_io_uring_setup
#define __NR_io_uring_setup 425
#endif

/* No sockets of any kind, by whatever call, and no hand on other processes. */
static void
no_sockets(void)
{
#ifdef ARCH
#define WORD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
	offsetof(struct seccomp_data, at))
#define DENY_IF(nr, left) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), (left), 0)
	struct sock_filter f[] = {
		WORD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 0, 8),
		WORD(nr),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32, 6, 0),
		DENY_IF(__NR_socket, 5),
		DENY_IF(__NR_io_uring_setup, 4),
		DENY_IF(__NR_ptrace, 3),
		DENY_IF(__NR_process_vm_readv, 2),
		DENY_IF(__NR_process_vm_writev, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	const struct sock_fprog all = { countof(f), f };

	(void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all, 0, 0);
#endif
}

/* Bits of later kernels than the headers here may be. */
#define READS (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | \
	LANDLOCK_ACCESS_FS_READ_DIR)
#define TRUNCATE ((uint64_t)1 << 14)
#define FILE_ONLY (LANDLOCK_ACCESS_FS_EXECUTE | \
	LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE)

static void
allow(int set, const char *path, uint64_t what)
{
	struct landlock_path_beneath_attr a = { .allowed_access = what };

	a.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (a.parent_fd < 0)
		return;
	if (syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &a,
		0) != 0 && errno == EINVAL) {	/* not a folder */
		a.allowed_access &= FILE_ONLY;
		(void)syscall(SYS_landlock_add_rule, set,
		    LANDLOCK_RULE_PATH_BENEATH, &a, 0);
	}
	close(a.parent_fd);
}

/* All that is there may be read, but what tells of other processes. */
static void
allow_reading(int set)
{
	DIR *d = opendir("/");
	char path[300];

	for (const struct dirent *de; d != NULL && (de = readdir(d)) != NULL;) {
		if (de->d_name[0] == '.' || streq(de->d_name, "proc"))
			continue;
		snprintf(path, sizeof(path), "/%s", de->d_name);
		allow(set, path, READS);
	}
	if (d != NULL)
		closedir(d);
}

static void
own_folders_only(const char *const *folders)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr all = { .handled_access_fs =
		((uint64_t)1 << 13) - 1 };

	if (abi < 1)
		return;
	all.handled_access_fs |= abi >= 2 ? (uint64_t)1 << 13 : 0;
	all.handled_access_fs |= abi >= 3 ? TRUNCATE : 0;
	int set = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all),
	    0);
	if (set < 0)
		return;
	allow_reading(set);
	allow(set, "/dev/null", LANDLOCK_ACCESS_FS_READ_FILE |
	    LANDLOCK_ACCESS_FS_WRITE_FILE | (all.handled_access_fs & TRUNCATE));
	for (; *folders != NULL; folders++)
		allow(set, *folders, all.handled_access_fs);
	(void)syscall(SYS_landlock_restrict_self, set, 0);
	close(set);
}

/* 1: a child of ours would be the first of its own processes, and all of them
 * end with it. */
static int
apart(void)
{
	const int most = CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (unshare(most | CLONE_NEWPID) == 0)
		return 1;
	(void)unshare(most);
	return 0;
}

static void
close_in(const struct jail *j)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return;
	own_folders_only(j->folders);
	no_sockets();
}
/* How many processes there are in the space of that one, which is its first. */
static int
crowd(pid_t first)
{
	char path[64], ours[64], its[64];
	DIR *d = opendir("/proc");
	ssize_t n, k;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%ld/ns/pid", (long)first);
	n = readlink(path, ours, sizeof(ours));
	for (const struct dirent *de; d != NULL && n > 0 &&
	    (de = readdir(d)) != NULL;) {
		if (de->d_name[0] < '1' || de->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/ns/pid", de->d_name);
		k = readlink(path, its, sizeof(its));
		found += k == n && memcmp(its, ours, (size_t)n) == 0;
	}
	if (d != NULL)
		closedir(d);
	return found;
}

/* The kernel exempts root from RLIMIT_NPROC: its are counted, and ended. */
static void
watch(pid_t first)
{
	const struct timespec pause = { 0, 50000000 };
	siginfo_t i = { 0 };

	while (waitid(P_PID, (id_t)first, &i, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    i.si_pid == 0) {
		if (crowd(first) > PROCESSES)
			(void)kill(first, SIGKILL);
		nanosleep(&pause, NULL);
	}
}

#else
static void
watch(pid_t first)
{
	(void)first;
}

static int
apart(void)
{
	return 0;
}

static void
close_in(const struct jail *j)
{
	(void)j;
}
#endif

static int
enter(const struct jail *j, struct err *e)
{
	limits(j);
	close_in(j);
	execvp(j->argv[0], j->argv);
	return err_sys(e, "cannot run '%s'", j->argv[0]);
}

int
jail_run(const struct jail *j, struct err *e)
{
	bool root = getuid() == 0;	/* apart it is nobody */
	int status = 0;

	if (!apart())
		return enter(j, e);
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "cannot start '%s'", j->argv[0]);
	if (pid == 0)
		return enter(j, e);
	if (root)
		watch(pid);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
	    WEXITSTATUS(status);
}
