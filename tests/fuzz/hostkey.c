/* What strangers send before they are trusted, and known_hosts, of any bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "act/hostkey.h"
#include "act/ssh.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
use_known(const uint8_t *data, size_t size, const struct hostkey *k)
{
	static int fd = -1;
	char path[64];
	struct strvec files STRVEC_SCOPED = STRVEC_INIT;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct err e = ERR_INIT;
	enum hostkey_is is;

	if (fd < 0)
		fd = memfd_create("known_hosts", MFD_CLOEXEC);
	if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	strvec_push(&files, path);
	hostkey_look(&is, &b, &files, "app1.example.org", 2201, k, &e);
	strbuf_reset(&b);
	hostkey_types(&b, &files, "app1.example.org", 22, &e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t ed25519[51] = { 0, 0, 0, 11, 's', 's', 'h', '-',
	    'e', 'd', '2', '5', '5', '1', '9', 0, 0, 0, 32 };
	struct hostkey k, known;
	struct ssh_offer o;
	uint8_t raw[256];

	if (hostkey_make(&known, ed25519, sizeof(ed25519)) == 0)
		use_known(data, size, &known);
	if (hostkey_make(&k, data, size) == 0)
		use_known(data, size, &k);
	base64_get(raw, sizeof(raw), (const char *)data, size);
	ssh_offer_init(&o);
	ssh_offer_cut(&o, data, size);
	ssh_offer_release(&o);
	return 0;
}
