/* Runs a fuzz target without libFuzzer: over the files given, and for SECONDS
 * over mutations of them. usage: TARGET [-s SECONDS] [-r SEED] FILE… */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536

static struct input { uint8_t *p; size_t n; } *inputs;
static size_t ninputs;
static uint64_t state = 88172645463325252u;
static uint8_t now[INPUT_MAX];

static size_t
below(size_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return n > 0 ? (size_t)(state % n) : 0;
}

static void
load(const char *path)
{
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		return;
	size_t n = fread(now, 1, sizeof(now), f);
	fclose(f);
	inputs = realloc(inputs, (ninputs + 1) * sizeof(*inputs));
	inputs[ninputs].p = malloc(n + 1);
	memcpy(inputs[ninputs].p, now, n);
	inputs[ninputs++].n = n;
}

/* Takes a piece of another input, or of this one, and puts it somewhere. */
static size_t
splice(size_t n)
{
	const struct input *o = &inputs[below(ninputs)];
	size_t from = below(o->n), k = below(o->n - from < 200 ? o->n - from :
	    200);
	size_t at = below(n + 1);

	if (n + k > INPUT_MAX)
		return n;
	memmove(now + at + k, now + at, n - at);
	memcpy(now + at, o->p + from, k);
	return n + k;
}

static size_t
mutate(size_t n)
{
	static const char marks[] = "()[]{},:.='\"\\\n\t #%+*-;|&~@$<>!0fbr";

	for (size_t i = below(8) + 1; i > 0; i--) {
		size_t at = below(n);
		switch (below(6)) {
		case 0:
			if (n > 0)
				now[at] = (uint8_t)below(256);
			break;
		case 1:
			if (n > 0)
				now[at] = (uint8_t)marks[below(sizeof(marks) - 1)];
			break;
		case 2:
			if (n > 0) {
				size_t k = below(n - at < 60 ? n - at : 60);
				memmove(now + at, now + at + k, n - at - k);
				n -= k;
			}
			break;
		case 3:
			for (size_t k = below(300); k > 0 && n > 0 &&
			    n < INPUT_MAX && below(50) > 0; k--)
				now[n++] = now[at];
			break;
		default:
			n = splice(n);
		}
	}
	return n;
}

int
main(int argc, char **argv)
{
	unsigned long runs = 0;
	int seconds = 0, c;

	while ((c = getopt(argc, argv, "s:r:")) != -1) {
		if (c == 's')
			seconds = (int)strtol(optarg, NULL, 10);
		else if (c == 'r')
			state ^= (uint64_t)strtoll(optarg, NULL, 10) << 17;
	}
	for (int i = optind; i < argc; i++)
		load(argv[i]);
	if (ninputs == 0)
		load("/dev/null");
	for (size_t i = 0; i < ninputs; i++)
		LLVMFuzzerTestOneInput(inputs[i].p, inputs[i].n);
	time_t end = time(NULL) + seconds;
	while (seconds > 0 && time(NULL) < end) {
		const struct input *o = &inputs[below(ninputs)];
		memcpy(now, o->p, o->n);
		size_t n = mutate(o->n);
		/* a copy of its own size, so that reading past it is seen */
		uint8_t *p = malloc(n > 0 ? n : 1);
		memcpy(p, now, n);
		FILE *f = getenv("FUZZ_KEEP") != NULL ?
		    fopen(getenv("FUZZ_KEEP"), "wb") : NULL;
		if (f != NULL) {
			fwrite(p, 1, n, f);
			fclose(f);
		}
		LLVMFuzzerTestOneInput(p, n);
		free(p);
		runs++;
	}
	printf("%zu inputs, %lu mutations\n", ninputs, runs);
	return 0;
}
