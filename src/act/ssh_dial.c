#include "act/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"

#define DEAD_PEER_S 30		/* silence after which TCP gives a peer up */
#define HELLO "SSH-2.0-sluice_" VERSION "\r\n"
#define PACKET_MAX 35000
#define BANNER_MAX 8192
#define MSG_KEXINIT 20

static void
tune(int fd)
{
	const struct { int level, name, value; } set[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
#ifdef TCP_KEEPIDLE
		{ IPPROTO_TCP, TCP_KEEPIDLE, 10 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 5 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 4 },
#endif
#ifdef TCP_USER_TIMEOUT
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, DEAD_PEER_S * 1000 },
#endif
	};

	for (size_t i = 0; i < countof(set); i++)
		setsockopt(fd, set[i].level, set[i].name, &set[i].value,
		    sizeof(set[i].value));
}

/* 0: connected. Else errno. */
static int
dial_one(int fd, const struct addrinfo *ai, int64_t deadline)
{
	struct pollfd p = { fd, POLLOUT, 0 };
	int wrong = 0;
	socklen_t n = sizeof(wrong);

	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	for (;;) {
		int64_t left = deadline - clock_ms();
		int r = left > 0 ? poll(&p, 1, (int)left) : 0;

		if (r == 0)
			return ETIMEDOUT;
		if (r > 0)
			break;
		if (errno != EINTR)
			return errno;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &wrong, &n) != 0)
		return errno;
	return wrong;
}

int
ssh_dial(const struct ssh_to *to, int64_t deadline, struct err *e)
{
	struct addrinfo want = { .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM }, *all = NULL;
	char port[16];
	int wrong = EADDRNOTAVAIL, left = 0;

	snprintf(port, sizeof(port), "%d", to->port);
	int r = getaddrinfo(to->host, port, &want, &all);
	if (r != 0)
		return err_set(e, "cannot find the address of '%s': %s",
		    to->host, gai_strerror(r));
	for (struct addrinfo *ai = all; ai != NULL; ai = ai->ai_next)
		left++;
	for (struct addrinfo *ai = all; ai != NULL; ai = ai->ai_next, left--) {
		int64_t now = clock_ms();
		int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC |
		    SOCK_NONBLOCK, ai->ai_protocol);

		if (fd < 0) {
			wrong = errno;
			continue;
		}
		tune(fd);
		wrong = dial_one(fd, ai, now + (deadline - now) / left);
		if (wrong == 0) {
			freeaddrinfo(all);
			return fd;
		}
		close(fd);
	}
	freeaddrinfo(all);
	errno = wrong;
	return err_sys(e, "cannot connect to %s:%d", to->host, to->port);
}

/* Exactly n bytes before the deadline. */
static int
get(int fd, void *out, size_t n, int64_t deadline, struct err *e)
{
	char *p = out;

	while (n > 0) {
		struct pollfd w = { fd, POLLIN, 0 };
		int64_t left = deadline - clock_ms();

		if (left <= 0 || poll(&w, 1, (int)left) == 0)
			return err_set(e, "no greeting in time");
		ssize_t got = read(fd, p, n);
		if (got == 0)
			return err_set(e, "closed in the middle of the greeting");
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(e, "cannot read the greeting");
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
	return 0;
}

/* Lines up to and with the one that names the protocol. */
static int
banner(int fd, int64_t deadline, struct err *e)
{
	char line[256] = "";
	size_t n = 0;

	for (int total = 0; total < BANNER_MAX; total++) {
		char c;

		if (get(fd, &c, 1, deadline, e) < 0)
			return -1;
		if (c != '\n') {
			if (n + 1 < sizeof(line))
				line[n++] = c;
			continue;
		}
		line[n] = '\0';
		if (starts_with(line, "SSH-"))
			return 0;
		n = 0;
	}
	return err_set(e, "no SSH server answers there");
}

static uint32_t
u32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

void
ssh_offer_init(struct ssh_offer *o)
{
	for (int i = 0; i < OFFERS; i++)
		o->list[i] = (struct strbuf)STRBUF_INIT;
}

int
ssh_offer_cut(struct ssh_offer *o, const void *packet, size_t n)
{
	const unsigned char *p = packet;

	/* padding length, message, cookie; then the lists, then the padding */
	if (n < 18 || p[1] != MSG_KEXINIT || p[0] + 18u > n)
		return -1;
	const unsigned char *end = p + n - p[0];
	p += 18;
	for (int i = 0; i < OFFERS; i++) {
		if (end - p < 4 || u32(p) > (size_t)(end - p - 4))
			return -1;
		strbuf_clean(&o->list[i], (const char *)p + 4, u32(p), false);
		p += 4 + u32(p);
	}
	return 0;
}

static int
offer_read(struct ssh_offer *o, int fd, int64_t deadline, struct err *e)
{
	unsigned char head[4], body[PACKET_MAX];

	if (banner(fd, deadline, e) < 0 ||
	    get(fd, head, sizeof(head), deadline, e) < 0)
		return -1;
	size_t n = u32(head);
	if (n > sizeof(body))
		return err_set(e, "its greeting is not SSH's");
	if (get(fd, body, n, deadline, e) < 0)
		return -1;
	if (ssh_offer_cut(o, body, n) < 0)
		return err_set(e, "its greeting is not SSH's");
	return 0;
}

int
ssh_offer(struct ssh_offer *o, const struct ssh_to *to, struct err *e)
{
	int64_t deadline = clock_ms() + to->connect_ms;
	int fd = ssh_dial(to, deadline, e);

	ssh_offer_init(o);
	if (fd < 0)
		return -1;
	int r = send(fd, HELLO, strlen(HELLO), MSG_NOSIGNAL) < 0 ?
	    err_sys(e, "cannot greet") : offer_read(o, fd, deadline, e);
	close(fd);
	if (r < 0) {
		ssh_offer_release(o);
		return err_wrap(e, "%s:%d", to->host, to->port);
	}
	return 0;
}

void
ssh_offer_release(struct ssh_offer *o)
{
	for (int i = 0; i < OFFERS; i++)
		strbuf_release(&o->list[i]);
}

/* Does a word of "a,b,c" stand among ours? */
static bool
common(const char *list, const char **ours, int n)
{
	while (*list != '\0') {
		size_t len = strcspn(list, ",");

		for (int i = 0; i < n; i++)
			if (strlen(ours[i]) == len &&
			    strncmp(ours[i], list, len) == 0)
				return true;
		list += len + (list[len] == ',');
	}
	return false;
}

bool
ssh_offer_why(struct strbuf *b, struct ssh *x, const struct ssh_offer *o)
{
	static const struct {
		int offer, method;
		const char *what, *todo;
	} kinds[] = {
		{ OFFER_HOSTKEY, LIBSSH2_METHOD_HOSTKEY, "host key type",
		  "give the host an ed25519 key ('ssh-keygen -A' on it makes one)" },
		{ OFFER_KEX, LIBSSH2_METHOD_KEX, "key exchange",
		  "allow curve25519-sha256 in its sshd_config (KexAlgorithms)" },
		{ OFFER_CIPHER, LIBSSH2_METHOD_CRYPT_CS, "cipher",
		  "allow aes256-ctr in its sshd_config (Ciphers)" },
		{ OFFER_MAC, LIBSSH2_METHOD_MAC_CS, "MAC",
		  "allow hmac-sha2-256 in its sshd_config (MACs)" },
	};

	for (size_t i = 0; i < countof(kinds); i++) {
		const char **ours = NULL;
		int n = libssh2_session_supported_algs(x->s, kinds[i].method,
		    &ours);
		bool fits = n <= 0 || common(o->list[kinds[i].offer].s, ours, n);

		if (ours != NULL)
			libssh2_free(x->s, ours);
		if (fits)
			continue;
		strbuf_printf(b, "no %s in common: the host has only %s, which "
		    "libssh2 %s cannot; %s", kinds[i].what,
		    o->list[kinds[i].offer].s, libssh2_version(0),
		    kinds[i].todo);
		return true;
	}
	return false;
}
