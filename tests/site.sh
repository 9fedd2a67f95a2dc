# A target to deploy to: PostgreSQL, hosts with sshd, a balancer, and a small
# Django project in git with two releases. Sourced after lib.sh.
# shellcheck shell=sh disable=SC2154,SC2034

work=$T/work		# the clone that deploys
conf=$T/sluice.ini

site_project() {
	mkdir -p "$work/shop/migrations"
	cd "$work" || return 1
	git init -q
	: >shop/__init__.py
	: >shop/migrations/__init__.py
	cat >manage.py <<-'END'
	import os, sys
	os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
	from django.core.management import execute_from_command_line
	execute_from_command_line(sys.argv)
	END
	cat >settings.py <<-'END'
	import os
	SECRET_KEY = "test"
	INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "shop"]
	DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
	USE_TZ = True
	DATABASES = {"default": {
	    "ENGINE": "django.db.backends.postgresql",
	    "HOST": os.environ["PGHOST"], "USER": os.environ["PGUSER"],
	    "NAME": os.environ["PGDATABASE"]}}
	END
	cat >shop/models.py <<-'END'
	from django.conf import settings
	from django.db import models

	class Customer(models.Model):
	    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
	    email = models.EmailField(unique=True)
	    fax = models.CharField(max_length=40, null=True)

	class Order(models.Model):
	    customer = models.ForeignKey(Customer, models.CASCADE)
	    note = models.TextField(null=True)
	END
	manage makemigrations -n initial
	git add -A
	git commit -q -m "release 1"
	git tag r1
	cat >shop/models.py <<-'END'
	from django.conf import settings
	from django.db import models

	class Customer(models.Model):
	    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
	    email = models.EmailField(unique=True)
	    fax = models.CharField(max_length=40, null=True)
	    phone = models.CharField(max_length=40, null=True)

	class Order(models.Model):
	    customer = models.ForeignKey(Customer, models.CASCADE)
	    note = models.TextField(null=True)

	class Review(models.Model):
	    order = models.ForeignKey(Order, models.CASCADE)
	    stars = models.IntegerField()
	END
	manage makemigrations -n grow
	sed -i '/fax = /d' shop/models.py
	manage makemigrations -n tidy
	git add -A
	git commit -q -m "release 2"
	git tag r2
}

manage() {
	PGDATABASE=postgres "$PY" manage.py "$@" >"$T/manage.log" 2>&1 || {
		diag <"$T/manage.log" >&2
		return 1
	}
}

# What stands on a host before the first deploy.
site_host() {
	mkdir -p "$T/host$1/srv/shared"
	printf 'PGHOST=%s\nPGUSER=%s\nPGDATABASE=shop\n' "$PGHOST" "$PGUSER" \
	    >"$T/host$1/srv/shared/env"
}

# The application is a file that says which release was restarted; it is sick
# where shared/sick stands (with the commit's name in it).
site_config() { # HOSTS
	cat <<-END
	[project]
	settings = settings
	auto_field = django.db.models.BigAutoField
	[target production]
	database = host=$PGHOST user=$PGUSER dbname=shop
	path = /srv/shop
	user = $me
	identity = $T/ssh/id
	known_hosts = $T/ssh/known_hosts
	env = shared/env
	python = $PY
	build = test -f manage.py
	restart = echo \$SLUICE_RELEASE >\$SLUICE_PATH/shared/serves
	health = sh -c 'test \$(cat \$SLUICE_PATH/shared/serves) = \$SLUICE_RELEASE &&
	  ! grep -q \$SLUICE_COMMIT \$SLUICE_PATH/shared/sick 2>/dev/null'
	connect_timeout = 5s
	step_timeout = 60s
	drain_timeout = 3s
	health_timeout = 3s
	retry_delay = 100ms
	END
	[ -z "${site_balanced-}" ] || echo "haproxy = $T/haproxy.sock"
	for n in $(seq "$1"); do
		ini_host "$n" production ${site_balanced:+shop/app$n}
	done
}

site_haproxy() {
	cat <<-END
	global
	    stats socket $T/haproxy.sock level admin mode 600
	defaults
	    mode http
	    timeout connect 1s
	    timeout client 5s
	    timeout server 5s
	listen shop
	    bind $T/haproxy.front
	END
	for n in $(seq "$1"); do
		echo "    server app$n $(host_addr "$n"):$(free_port "$(host_addr "$n")")"
	done
}

# site_start HOSTS: then `deploy r1` and so on work.
site_start() {
	need_django
	pg_start || return 1
	sql 'CREATE DATABASE shop'
	for n in $(seq "$1"); do
		host_start "$n" || return 1
		site_host "$n"
	done
	if [ -n "${site_balanced-}" ]; then
		site_haproxy "$1" >"$T/haproxy.cfg"
		haproxy_start "$T/haproxy.cfg" || return 1
		wait_for 5 test -S "$T/haproxy.sock" || return 1
	fi
	site_config "$1" >"$conf"
	export SLUICE_CONFIG="$conf"
	site_project || return 1
}

deploy() { sluice-deploy production "$@"; }

# serves N TAG: what host N serves is the commit of TAG, by its link and by
# what was restarted.
serves() {
	c=$(git -C "$work" rev-parse --short=12 "$2")
	case $(readlink "$T/host$1/srv/current") in
	*"-$c") ;;
	*) return 1 ;;
	esac
	case $(cat "$T/host$1/srv/shared/serves") in
	*"-$c") ;;
	*) return 1 ;;
	esac
}

# column TABLE.COLUMN: is it there?
column() {
	[ "$(sql shop "SELECT count(*) FROM information_schema.columns
	    WHERE table_name || '.' || column_name = '$1'")" = 1 ]
}
