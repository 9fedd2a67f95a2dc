# A small Django project in a repository, for the tests of the hooks.
# shellcheck shell=sh

# project DIR: two apps, their first migrations, sluice.ini, one commit.
project() {
	mkdir -p "$1/site1" "$1/shop/migrations" "$1/blog/migrations"
	cd "$1" || exit 3
	touch site1/__init__.py shop/__init__.py shop/migrations/__init__.py \
	    blog/__init__.py blog/migrations/__init__.py
	cat >site1/settings.py <<-END
	import os
	assert "GIT_INDEX_FILE" not in os.environ and "GIT_DIR" not in os.environ
	SECRET_KEY = "x"
	INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "shop", "blog"]
	DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
	USE_TZ = True
	DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql",
	    "NAME": "none", "HOST": "127.0.0.1", "PORT": "1"}}
	END
	cat >shop/models.py <<-END
	from django.db import models


	class Product(models.Model):
	    name = models.CharField(max_length=50)
	    fax = models.CharField(max_length=20)
	END
	cat >blog/models.py <<-END
	from django.db import models


	class Post(models.Model):
	    title = models.CharField(max_length=50)
	END
	model_migration shop 0001_initial '' 'migrations.CreateModel(
	    name="Product",
	    fields=[
	        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
	        ("name", models.CharField(max_length=50)),
	        ("fax", models.CharField(max_length=20)),
	    ],
	)'
	model_migration blog 0001_initial '' 'migrations.CreateModel(
	    name="Post",
	    fields=[
	        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
	        ("title", models.CharField(max_length=50)),
	    ],
	)'
	cat >sluice.ini <<-END
	[project]
	settings = site1.settings
	python = $PY
	END
	echo '__pycache__' >.gitignore
	git init -q . && git add -A && git commit -q -m start
}

# model_migration APP NAME PARENT OPERATION…: as makemigrations writes it.
model_migration() {
	file=$1/migrations/$2.py parent=
	[ -z "$3" ] || parent="(\"$1\", \"$3\")"
	shift 3
	{
		cat <<-END
		from django.db import migrations, models


		class Migration(migrations.Migration):

		    dependencies = [$parent]

		    operations = [
		END
		for op; do printf '%s,\n' "$op" | sed 's/^/        /'; done
		echo '    ]'
	} >"$file"
}

# Changes of the shop, model and migration: KIND NUMBER PARENT
add_nullable() { # safe
	sed -i '/fax = /a\    note = models.TextField(null=True)' shop/models.py
	model_migration shop "$1" "$2" 'migrations.AddField("product", "note", models.TextField(null=True))'
}
add_default() { # split: Django drops the default at once
	sed -i '/fax = /a\    rank = models.IntegerField(default=0)' shop/models.py
	model_migration shop "$1" "$2" 'migrations.AddField("product", "rank", models.IntegerField(default=0))'
}
free_fax() { # either: old and new code both run
	sed -i 's/fax = .*/fax = models.CharField(max_length=20, null=True)/' shop/models.py
	model_migration shop "$1" "$2" 'migrations.AlterField("product", "fax", models.CharField(max_length=20, null=True))'
}
drop_fax() { # unsafe, once it is nullable
	sed -i '/fax = /d' shop/models.py
	model_migration shop "$1" "$2" 'migrations.RemoveField("product", "fax")'
}
opaque() {
	model_migration shop "$1" "$2" 'migrations.RunPython(print, migrations.RunPython.noop)'
}
