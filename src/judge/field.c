/* Django's field classes, and what one field is in PostgreSQL. */
#include "judge/code.h"

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "judge/judge.h"

/* type: as format_type() prints it. data: what Django compares to know if a
 * change of type needs USING; NULL: the type. */
static const struct field_class classes[] = {
	{ .name = "AutoField", .type = "integer", .automatic = true },
	{ .name = "BigAutoField", .type = "bigint", .automatic = true },
	{ .name = "SmallAutoField", .type = "smallint", .automatic = true },
	{ .name = "IntegerField", .type = "integer" },
	{ .name = "BigIntegerField", .type = "bigint" },
	{ .name = "SmallIntegerField", .type = "smallint" },
	{ .name = "PositiveIntegerField", .type = "integer", .positive = true },
	{ .name = "PositiveBigIntegerField", .type = "bigint", .positive = true },
	{ .name = "PositiveSmallIntegerField", .type = "smallint", .positive = true },
	{ .name = "BooleanField", .type = "boolean" },
	{ .name = "NullBooleanField", .type = "boolean", .always_null = true },
	{ .name = "CharField", .type = "character varying", .shape = SHAPE_LENGTH, .data = "CharField", .empty = true },
	{ .name = "EmailField", .type = "character varying", .shape = SHAPE_LENGTH, .length = 254, .data = "CharField", .empty = true },
	{ .name = "URLField", .type = "character varying", .shape = SHAPE_LENGTH, .length = 200, .data = "CharField", .empty = true },
	{ .name = "CommaSeparatedIntegerField", .type = "character varying", .shape = SHAPE_LENGTH, .data = "CharField", .empty = true },
	{ .name = "SlugField", .type = "character varying", .shape = SHAPE_LENGTH, .length = 50, .data = "varchar", .empty = true, .indexed = true },
	{ .name = "FileField", .type = "character varying", .shape = SHAPE_LENGTH, .length = 100, .data = "varchar", .empty = true },
	{ .name = "ImageField", .type = "character varying", .shape = SHAPE_LENGTH, .length = 100, .data = "varchar", .empty = true },
	{ .name = "FilePathField", .type = "character varying", .shape = SHAPE_LENGTH, .length = 100, .data = "varchar", .empty = true },
	{ .name = "TextField", .type = "text", .empty = true },
	{ .name = "BinaryField", .type = "bytea", .empty = true },
	{ .name = "DateField", .type = "date", .now = true },
	{ .name = "DateTimeField", .type = "timestamp with time zone", .now = true },
	{ .name = "TimeField", .type = "time without time zone", .now = true },
	{ .name = "DurationField", .type = "interval" },
	{ .name = "DecimalField", .type = "numeric", .shape = SHAPE_DECIMAL, .data = "numeric" },
	{ .name = "FloatField", .type = "double precision" },
	{ .name = "UUIDField", .type = "uuid" },
	{ .name = "JSONField", .type = "jsonb" },
	{ .name = "GenericIPAddressField", .type = "inet" },
	{ .name = "IPAddressField", .type = "inet" },
	{ .name = "GeneratedField", .type = NULL, .shape = SHAPE_GENERATED, .always_null = true },
	{ .name = "ForeignKey", .type = NULL, .kind = FIELD_FK, .indexed = true },
	{ .name = "OneToOneField", .type = NULL, .kind = FIELD_FK, .indexed = true, .one = true },
	{ .name = "ManyToManyField", .type = NULL, .kind = FIELD_M2M },
	{ .name = "CompositePrimaryKey", .type = NULL, .kind = FIELD_COMPOSITE },
	{ .name = "OrderWrt", .type = "integer" },
	{ .name = "GenericRelation", .type = NULL, .kind = FIELD_NONE },
	{ .name = "GenericForeignKey", .type = NULL, .kind = FIELD_NONE },
	{ .name = "TaggableManager", .type = NULL, .kind = FIELD_NONE },
	/* django.contrib.postgres */
	{ .name = "ArrayField", .type = NULL, .shape = SHAPE_ARRAY },
	{ .name = "HStoreField", .type = "hstore" },
	{ .name = "SearchVectorField", .type = "tsvector", .empty = true },
	{ .name = "SearchQueryField", .type = "tsquery", .empty = true },
	{ .name = "CICharField", .type = "citext", .empty = true, .gone = "CharField" },
	{ .name = "CITextField", .type = "citext", .empty = true, .gone = "TextField" },
	{ .name = "CIEmailField", .type = "citext", .empty = true, .gone = "EmailField" },
	{ .name = "IntegerRangeField", .type = "int4range" },
	{ .name = "BigIntegerRangeField", .type = "int8range" },
	{ .name = "DecimalRangeField", .type = "numrange" },
	{ .name = "FloatRangeField", .type = "numrange" },
	{ .name = "DateTimeRangeField", .type = "tstzrange" },
	{ .name = "DateRangeField", .type = "daterange" },
	/* django.contrib.gis */
	{ .name = "GeometryField", .type = "Geometry", .shape = SHAPE_GEO, .spatial = true },
	{ .name = "PointField", .type = "Point", .shape = SHAPE_GEO, .spatial = true },
	{ .name = "LineStringField", .type = "LineString", .shape = SHAPE_GEO, .spatial = true },
	{ .name = "PolygonField", .type = "Polygon", .shape = SHAPE_GEO, .spatial = true },
	{ .name = "MultiPointField", .type = "MultiPoint", .shape = SHAPE_GEO, .spatial = true },
	{ .name = "MultiLineStringField", .type = "MultiLineString", .shape = SHAPE_GEO, .spatial = true },
	{ .name = "MultiPolygonField", .type = "MultiPolygon", .shape = SHAPE_GEO, .spatial = true },
	{ .name = "GeometryCollectionField", .type = "GeometryCollection", .shape = SHAPE_GEO, .spatial = true },
	{ .name = "RasterField", .type = "raster" },
	/* of other people, often met, with a type of their own */
	{ .name = "MPTTForeignKey", .type = NULL, .kind = FIELD_FK, .indexed = true },
	{ .name = "TreeForeignKey", .type = NULL, .kind = FIELD_FK, .indexed = true },
	{ .name = "TreeOneToOneField", .type = NULL, .kind = FIELD_FK, .indexed = true, .one = true },
	{ .name = "ParentalKey", .type = NULL, .kind = FIELD_FK, .indexed = true },
	{ .name = "ParentalManyToManyField", .type = NULL, .kind = FIELD_M2M },
	{ .name = "CountryField", .type = "character varying", .shape = SHAPE_LENGTH, .length = 2, .data = "CharField", .empty = true },
	{ .name = "PhoneNumberField", .type = "character varying", .shape = SHAPE_LENGTH, .length = 128, .data = "CharField", .empty = true },
	{ .name = "LtreeField", .type = "ltree" },
};

const struct field_class *
class_named(const char *name)
{
	for (size_t i = 0; i < countof(classes); i++)
		if (*classes[i].name == *name &&
		    strcmp(classes[i].name, name) == 0)
			return &classes[i];
	return NULL;
}

static const char *
last_part(const char *dotted)
{
	const char *dot = strrchr(dotted, '.');

	return dot != NULL ? dot + 1 : dotted;
}

static const struct field_class *
class_by_suffix(const char *name)
{
	const struct field_class *best = NULL;

	for (size_t i = 0; i < countof(classes); i++)
		if (ends_with(name, classes[i].name) && (best == NULL ||
		    strlen(classes[i].name) > strlen(best->name)))
			best = &classes[i];
	return best;
}

/* The configuration's; Django's own; the class that the project's one comes
 * from; the longest known ending; the signature. NULL: an opaque column. */
static const struct field_class *
class_of(const struct settings *s, const struct value *call, bool *guessed)
{
	const char *name = last_part(call->name);
	const struct field_class *c, *c2;

	*guessed = false;
	for (uint32_t i = 0; i < s->nclasses; i++)
		if (streq(s->classes[i].cls, call->name) ||
		    streq(s->classes[i].cls, name))
			return class_named(last_part(s->classes[i].as));
	c = class_named(name);
	if (starts_with(call->name, "django.") && c != NULL)
		return c->gone != NULL && s->django >= 501 ?
		    class_named(c->gone) : c;
	if (call->base != NULL && (c2 = class_named(last_part(call->base))) !=
	    NULL)
		return c2;
	*guessed = true;
	if (call->why != NULL)	/* its class decides for itself */
		return NULL;
	if (c != NULL || (c = class_by_suffix(name)) != NULL)
		return c;
	if (value_arg(call, "to", -1) != NULL)
		return class_named(value_arg(call, "on_delete", -1) != NULL ?
		    "ForeignKey" : "ManyToManyField");
	return NULL;
}

/* "Issue", "shop.Issue", "self", a setting, a class: a label. */
static sym
target(struct arena *a, const struct settings *s, sym app, sym model,
    const struct value *v)
{
	if (v == NULL)
		return NULL;
	if (v->kind == VALUE_STR) {
		sym text = sym_lower(a, value_str(a, v));

		if (strcmp(text, "self") == 0)
			return sym_printf(a, "%s.%s", app, model);
		return strchr(text, '.') != NULL ? text :
		    sym_printf(a, "%s.%s", app, text);
	}
	if (v->kind == VALUE_CALL && v->n == 2 &&
	    v->items[0]->kind == VALUE_STR && v->items[1]->kind == VALUE_STR)
		return sym_lower(a, sym_printf(a, "%s.%s", v->items[0]->text,
		    v->items[1]->text));	/* swapper.get_model_name() */
	if (v->kind == VALUE_CALL && v->n > 0)
		return target(a, s, app, model, v->items[0]);
	if (v->kind == VALUE_CALL && ends_with(v->name, "get_user_model"))
		return sym_lower(a, s->user_model != NULL ? s->user_model :
		    "auth.user");
	if (v->kind != VALUE_NAME && v->kind != VALUE_OPAQUE)
		return NULL;
	const char *text = v->name != NULL ? v->name : v->text;
	const char *last = last_part(text);
	if (strcmp(last, "AUTH_USER_MODEL") == 0)
		return sym_lower(a, s->user_model != NULL ? s->user_model :
		    "auth.user");
	for (uint32_t i = 0; i < s->nswapped; i++)
		if (strcmp(last, s->swapped[i].name) == 0)
			return sym_lower(a, s->swapped[i].value);
	const char *models = strstr(text, ".models.");
	if (models == NULL)
		return NULL;
	const char *from = models;	/* shop.models.Issue */
	while (from > text && from[-1] != '.')
		from--;
	return sym_lower(a, sym_printf(a, "%.*s.%s", (int)(models - from),
	    from, last));
}

static sym
column_of(struct arena *a, const struct field *f)
{
	sym db = f->call != NULL ?
	    value_str(a, value_arg(f->call, "db_column", -1)) : NULL;

	if (f->kind != FIELD_COLUMN && f->kind != FIELD_FK)
		return NULL;
	if (db != NULL)
		return db;
	return f->kind == FIELD_FK ? sym_printf(a, "%s_id", f->name) : f->name;
}

static sym
type_length(struct arena *a, const struct field_class *c,
    const struct value *call)
{
	bool known = true;
	int64_t n = value_int(call, "max_length", c->length, &known);

	if (!known) {
		const struct value *v = value_arg(call, "max_length", -1);

		return v->kind == VALUE_NONE ? sym_get(a, c->type) : NULL;
	}
	return n > 0 ? sym_printf(a, "%s(%lld)", c->type, (long long)n) :
	    sym_get(a, c->type);
}

static sym
type_decimal(struct arena *a, const struct value *call)
{
	bool known = true;
	int64_t p = value_int(call, "max_digits", 0, &known);
	int64_t d = value_int(call, "decimal_places", 0, &known);

	if (!known)
		return NULL;
	return p > 0 ? sym_printf(a, "numeric(%lld,%lld)", (long long)p,
	    (long long)d) : sym_get(a, "numeric");
}

static sym
type_geo(struct arena *a, const struct field_class *c,
    const struct value *call)
{
	int64_t srid = value_int(call, "srid", 4326, NULL);
	int64_t dim = value_int(call, "dim", 2, NULL);
	bool geography = value_bool(call, "geography", false, NULL);

	return sym_printf(a, "%s(%s%s,%lld)", geography ? "geography" :
	    "geometry", c->type, dim == 3 ? "Z" : "", (long long)srid);
}

/* The type that the call alone decides. */
static sym
type_own(struct arena *a, const struct field_class *cls,
    const struct value *call)
{
	switch (cls->shape) {
	case SHAPE_LENGTH:
		return type_length(a, cls, call);
	case SHAPE_DECIMAL:
		return type_decimal(a, call);
	case SHAPE_GEO:
		return type_geo(a, cls, call);
	case SHAPE_PLAIN:
		return sym_get(a, cls->type);
	default:
		return NULL;
	}
}

const struct field *
field_read(struct arena *a, const struct settings *s, sym app, sym model,
    sym name, const struct value *call)
{
	struct field *f = arena_make(a, struct field);

	f->name = name;
	f->call = call;
	if (call == NULL || call->kind != VALUE_CALL || call->name == NULL) {
		f->column = name;
		f->guessed = true;
		return f;
	}
	const struct field_class *c = class_of(s, call, &f->guessed);
	f->cls = c;
	f->kind = c != NULL ? c->kind : FIELD_COLUMN;
	f->null = (c != NULL && c->always_null) ||
	    value_bool(call, "null", false, NULL);
	f->primary_key = value_bool(call, "primary_key", false, NULL) ||
	    f->kind == FIELD_COMPOSITE;
	f->unique = (c != NULL && c->one) || f->primary_key ||
	    value_bool(call, "unique", false, NULL);
	f->db_index = value_bool(call, "db_index", c != NULL && c->indexed,
	    NULL);
	f->db_constraint = value_bool(call, "db_constraint", true, NULL);
	f->parent_link = value_bool(call, "parent_link", false, NULL);
	if (f->kind == FIELD_FK || f->kind == FIELD_M2M) {
		f->to = target(a, s, app, model, value_arg(call, "to", 0));
		f->to_field = value_str(a, value_arg(call, "to_field", -1));
		f->through = f->kind == FIELD_M2M ? target(a, s, app, model,
		    value_arg(call, "through", -1)) : NULL;
		f->db_table = value_str(a, value_arg(call, "db_table", -1));
	}
	f->column = column_of(a, f);
	f->type = c != NULL && f->kind == FIELD_COLUMN ? type_own(a, c, call) :
	    NULL;
	return f;
}

const struct field *
field_renamed(struct arena *a, const struct field *f, sym name)
{
	struct field *g = arena_copy(a, f, sizeof(*f));

	g->name = name;
	g->column = column_of(a, g);
	return g;
}

const struct field *
field_inner(const struct code *c, const struct field *f, const char *kw)
{
	const struct value *v = value_arg(f->call, kw,
	    strcmp(kw, "base_field") == 0 ? 0 : -1);

	if (v == NULL || v->kind != VALUE_CALL)
		return NULL;
	return field_read(c->a, c->s, "", "", f->name, v);
}

static sym
type_array(const struct code *c, const struct field *f, int depth)
{
	const struct field *in = field_inner(c, f, "base_field");
	sym base = in != NULL ? field_type(c, in, depth + 1) : NULL;

	/* PostgreSQL forgets sizes and keeps one pair of brackets */
	if (base == NULL || ends_with(base, "[]"))
		return base;
	return sym_printf(c->a, "%s[]", base);
}

static sym
type_fk(const struct code *c, const struct field *f, int depth)
{
	const struct target t = field_target(c, f);

	if (t.field != NULL)
		return field_type(c, t.field, depth + 1);
	return t.type;
}

sym
field_type(const struct code *c, const struct field *f, int depth)
{
	if (depth > 16)
		return NULL;
	if (f->kind == FIELD_FK)
		return type_fk(c, f, depth);
	if (f->cls == NULL || f->kind != FIELD_COLUMN)
		return NULL;
	if (f->call == NULL)
		return sym_get(c->a, f->cls->type);
	if (f->cls->shape == SHAPE_ARRAY)
		return type_array(c, f, depth);
	if (f->cls->shape == SHAPE_GENERATED) {
		const struct field *out = field_inner(c, f, "output_field");

		return out != NULL ? field_type(c, out, depth + 1) : NULL;
	}
	return f->type;
}

/* As Django spells the type in its statements: "varchar(20)". */
sym
type_sql(struct arena *a, sym type)
{
	if (type == NULL)
		return "?";
	if (starts_with(type, "character varying"))
		return sym_printf(a, "varchar%s", type + 17);
	if (starts_with(type, "time without time zone"))
		return sym_printf(a, "time%s", type + 22);
	const char *comma = strchr(type, ',');
	if (starts_with(type, "numeric(") && comma != NULL)
		return sym_printf(a, "%.*s, %s", (int)(comma - type), type,
		    comma + 1);
	return type;
}

/* What two fields must share for a change of type to need no USING. */
sym
field_data(const struct code *c, const struct field *f)
{
	const struct field *in;

	if (f->kind == FIELD_FK || f->cls == NULL)
		return field_type(c, f, 0);
	if (f->cls->shape == SHAPE_ARRAY &&
	    (in = field_inner(c, f, "base_field")) != NULL) {
		sym base = field_data(c, in);

		return base != NULL && ends_with(base, "[]") ? base :
		    sym_printf(c->a, "%s[]", base != NULL ? base : "?");
	}
	if (f->cls->data == NULL)
		return field_type(c, f, 0);
	return c->s->django >= 402 ? f->cls->data :
	    strcmp(f->cls->data, "CharField") == 0 ? "varchar" : f->cls->data;
}
