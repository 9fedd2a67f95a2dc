# Sluice. The module map: every room is src/ROOM/*.c, every program one file
# in hooks/ or deploy/, and everything built goes into build/.
#
#	make			the programs, as build/sluice-…
#	make check		the tests (SAN=1: with ASan and UBSan)
#	make demo		the whole story on real parts
#	make lint fuzz oracle bench managers install clean

VERSION = 0.1.0
PREFIX = /usr/local
DESTDIR =
CC = gcc
SAN =
COVER =

B = build$(if $(COVER),-cover,$(if $(SAN),-san))
DEPS = .deps
GRAMMAR = $(DEPS)/tree-sitter-python/src

ROOMS = base read judge plan act gate show prog
PROGS = $(patsubst %.c,%,$(notdir $(wildcard hooks/*.c deploy/*.c)))
EMBED = $(wildcard src/act/agent.sh src/act/django.py src/act/django.sh src/act/ledger.sql \
	src/gate/clean.py)

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wvla \
	-Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wcast-qual \
	-Wpointer-arith -Wundef -Wno-sign-conversion -Wno-overlength-strings
HARD = -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
	-fcf-protection
ifneq ($(COVER),)
CC = clang
OPT = -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer
else ifneq ($(SAN),)
OPT = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
else
OPT = -O2 -g $(HARD)
endif
PGINC := $(shell pg_config --includedir 2>/dev/null || echo /usr/include/postgresql)
CPPFLAGS = -D_GNU_SOURCE -DVERSION='"$(VERSION)"' \
	-DLIBEXEC='"$(PREFIX)/libexec/sluice"' -Iinclude -Isrc -I$(B)/embed \
	-isystem $(PGINC)
CFLAGS = -std=c17 $(OPT) -fPIE -fvisibility=hidden $(WARN)
LDFLAGS = -pie -Wl,-z,relro,-z,now,--as-needed $(if $(SAN)$(COVER),$(OPT))
LIBS = -lgit2 -ltree-sitter -lpg_query -ljansson -linih -lmd -lpq -lssh2

LIBSRC = $(foreach r,$(ROOMS),$(sort $(wildcard src/$r/*.c)))
LIBOBJ = $(LIBSRC:src/%.c=$(B)/%.o) $(B)/grammar/parser.o $(B)/grammar/scanner.o
UNIT = $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))
HEADERS = $(EMBED:src/%=$(B)/embed/%.h)

all: $(PROGS:%=$(B)/%)

# One room alone: make room-judge
$(ROOMS:%=room-%): room-%:
	@$(MAKE) $(patsubst src/%.c,$(B)/%.o,$(wildcard src/$*/*.c))

$(B)/%.o: src/%.c | $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/progs/%.o: hooks/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(B)/progs/%.o: deploy/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The pinned grammar is somebody else's C: its warnings are not ours.
$(B)/grammar/%.o: $(GRAMMAR)/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 $(OPT) -fPIE -fvisibility=hidden -w -Isrc/read/grammar -c -o $@ $<
$(GRAMMAR)/parser.c $(GRAMMAR)/scanner.c:
	@echo "the Python grammar is missing: run 'sh tests/setup.sh'" >&2; exit 1

# A text file becomes a string constant of the same bytes.
$(B)/embed/%.h: src/%
	@mkdir -p $(@D)
	sed -e 's/[\\"]/\\&/g' -e 's/^/"/' -e 's/$$/\\n"/' $< > $@

# What the reader makes of a file is kept by its version: any change of it,
# of what it rests on or of the grammar is another one.
$(B)/embed/reader.h: $(sort $(wildcard src/read/*.[ch] include/read/*.h \
		src/base/*.c include/base/*.h)) $(GRAMMAR)/parser.c $(GRAMMAR)/scanner.c
	@mkdir -p $(@D)
	cat $^ | cksum | sed 's/\(.*\) \(.*\)/#define READER "\1-\2"/' > $@
$(B)/read/cache.o: $(B)/embed/reader.h

$(B)/libsluice.a: $(LIBOBJ)
	@rm -f $@
	ar rcs $@ $^

$(PROGS:%=$(B)/%): $(B)/%: $(B)/progs/%.o $(B)/libsluice.a
	$(CC) $(LDFLAGS) -o $@ $< $(B)/libsluice.a $(LIBS)

$(B)/unit/%: tests/unit/%.c $(B)/libsluice.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Itests/unit -MMD -MP $(LDFLAGS) -o $@ $< \
		$(B)/libsluice.a $(LIBS)

unit: $(UNIT)

# Fuzz targets, each for FUZZ seconds over its corpus: make fuzz SAN=1, by
# blind mutation; make fuzz COVER=1, led by coverage (needs clang and libFuzzer),
# which keeps what it finds in build-cover/corpus.
FUZZ = 20
FUZZERS = $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))
DRIVER = $(if $(COVER),-fsanitize=fuzzer,tests/fuzz/lib/driver.c)
$(B)/fuzz/%: tests/fuzz/%.c tests/fuzz/lib/driver.c $(B)/libsluice.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(DRIVER) \
		$(B)/libsluice.a $(LIBS)

fuzz: $(FUZZERS:$(B)/fuzz/%=fuzz-%)
fuzz-%: $(B)/fuzz/%
ifneq ($(COVER),)
	@mkdir -p $(B)/corpus/$*
	LSAN_OPTIONS=suppressions=tests/lsan.supp:print_suppressions=0 \
	$< -max_total_time=$(FUZZ) -rss_limit_mb=1024 -timeout=5 \
		-artifact_prefix=$(B)/$*- -print_final_stats=1 -verbosity=0 \
		$(B)/corpus/$* tests/fuzz/corpus/$*
else
	$< -s $(FUZZ) tests/fuzz/corpus/$*/*
endif

check: all unit
	SLUICE_BUILD=$(CURDIR)/$(B) ASAN_OPTIONS=fast_unwind_on_malloc=0 \
	LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 \
	prove -j2 --timer --exec '' $(sort $(wildcard tests/*.t)) $(UNIT)

# Verdicts held against real Django and PostgreSQL, all of them; a sample is
# among the tests. Speed and memory, as ratios against the bare parse.
# Another Django (sh tests/setup.sh oracle) and a part: make oracle DJANGO=4.2
# ORACLE='--every 4 --first 0'
ORACLE =
oracle: all
	SLUICE_BUILD=$(CURDIR)/$(B) sh tests/with-pg.sh \
		$(DEPS)/venv$(DJANGO:%=-%)/bin/python tests/oracle/oracle.py \
		--build $(B) $(ORACLE)
bench: all $(B)/bench/parse
	python3 tests/bench/bench.py --build $(B) --parse $(B)/bench/parse \
		--python $(CURDIR)/$(DEPS)/venv/bin/python
$(B)/bench/%: tests/bench/%.c $(B)/libsluice.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(B)/libsluice.a $(LIBS)

demo: all
	SLUICE_BUILD=$(CURDIR)/$(B) sh tests/demo/demo.sh

# lefthook and husky for real: needs npm.
managers: all
	SLUICE_BUILD=$(CURDIR)/$(B) sh tests/managers.sh

lint:
	sh tests/lint.sh $(B)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/sluice \
		$(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5
	install -m 755 $(filter-out %/sluice-ssh,$(PROGS:%=$(B)/%)) $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(B)/sluice-ssh $(DESTDIR)$(PREFIX)/libexec/sluice
	install -m 644 $(wildcard hooks/*.1 deploy/*.1) $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(wildcard deploy/*.5) $(DESTDIR)$(PREFIX)/share/man/man5
	install -D -m 644 config.ini.example $(DESTDIR)$(PREFIX)/share/doc/sluice/config.ini.example

clean:
	rm -rf build build-san build-cover

.PHONY: all unit check demo fuzz oracle bench managers lint install clean $(ROOMS:%=room-%)
.SECONDARY:
-include $(LIBOBJ:.o=.d) $(PROGS:%=$(B)/progs/%.d) $(UNIT:%=%.d)
