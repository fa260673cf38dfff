// bullet_model.c - an MJCF file as the tree of links that Bullet makes of it.
//
// A recursion over <body>: each of its joints becomes a link without mass, the body itself the link
// with the geoms, and places are turned from "relative to the body" into "relative to the parent's
// centre of mass", where Bullet wants them. Defaults are those of the file, then of the importer.
//
// It is written again, because Bullet's importer is not part of the library; but it must give the
// same numbers. Hence the detours through float, the odd centre of mass, and a pi of its own: what
// looks odd here is the original's.
#include "env/bullet_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "env/xml.h"

#define DENSITY 1000.0  // kg/m3
#define BULLET_PI 3.1415926535897932384626433832795029

// What <compiler> and <default> say, and where the result goes.
typedef struct {
  BulletModel* model;
  const char* path;
  Error* error;
  bool degrees;
  bool limited;
  double friction;
  int group, mask;
} Reader;

static bool fail(const Reader* reader, const XmlNode* node, const char* what) {
  return error_set(reader->error, "%s:%d: <%s>: %s", reader->path, node->line, node->tag, what);
}

// Reads 1 ... max numbers, rounded to float, into out; *count (may be NULL) says how many. A
// missing attribute leaves all as it is.
static bool read_numbers(const Reader* reader, const XmlNode* node, const char* name, double* out,
                         int max, int* count) {
  const char* text = xml_attribute(node, name);
  if (!text) {
    return true;
  }
  int n = 0;
  for (;;) {
    char* end;
    double value = strtod(text, &end);
    if (end == text) {
      break;
    }
    if (n == max || !isfinite(value)) {
      return fail(reader, node, name);
    }
    out[n++] = (float)value;
    text = end;
  }
  if (n == 0 || text[strspn(text, " \t\r\n")]) {
    return error_set(reader->error, "%s:%d: %s of <%s> must be numbers", reader->path, node->line,
                     name, node->tag);
  }
  if (count) {
    *count = n;
  }
  return true;
}

// Exactly `size` numbers, or none.
static bool read_vector(const Reader* reader, const XmlNode* node, const char* name, double* out,
                        int size) {
  int count = size;
  return read_numbers(reader, node, name, out, size, &count) &&
         (count == size || error_set(reader->error, "%s:%d: %s of <%s> has %d numbers, not %d",
                                     reader->path, node->line, name, node->tag, count, size));
}

static bool read_integer(const Reader* reader, const XmlNode* node, const char* name, int* out) {
  double value = *out;
  if (!read_vector(reader, node, name, &value, 1)) {
    return false;
  }
  *out = (int)value;
  return true;
}

static bool read_name(const Reader* reader, const XmlNode* node, char* out) {
  const char* name = xml_attribute(node, "name");
  if (!name || strlen(name) >= BULLET_NAME_SIZE) {
    return fail(reader, node, "needs a short name");
  }
  strcpy(out, name);
  return true;
}

static bool is_true(const char* text, bool otherwise) {
  return text ? strcmp(text, "true") == 0 : otherwise;
}

// The friction of sliding; the file may name those of spinning and rolling, too.
static bool read_friction(const Reader* reader, const XmlNode* node, double* out) {
  double values[3] = {*out};
  if (!read_numbers(reader, node, "friction", values, 3, NULL)) {
    return false;
  }
  *out = values[0];
  return true;
}

static bool read_defaults(Reader* reader, const XmlNode* root) {
  const char* angle = xml_attribute(xml_child(root, "compiler"), "angle");
  reader->degrees = !angle || strcmp(angle, "radian") != 0;
  const XmlNode* defaults = xml_child(root, "default");
  reader->limited = is_true(xml_attribute(xml_child(defaults, "joint"), "limited"), false);
  const XmlNode* geom = xml_child(defaults, "geom");
  return !geom || (read_integer(reader, geom, "contype", &reader->group) &&
                   read_integer(reader, geom, "conaffinity", &reader->mask) &&
                   read_friction(reader, geom, &reader->friction));
}

// In float, as the importer computes it.
static double to_radians(double degrees) {
  const float pi = 3.14159265358979323846f;
  return (float)degrees * pi / 180;
}

static bool read_limits(const Reader* reader, const XmlNode* node, BulletLink* link) {
  link->limited = is_true(xml_attribute(node, "limited"), reader->limited);
  if (!link->limited) {
    return true;
  }
  double range[2] = {0};
  if (!read_vector(reader, node, "range", range, 2)) {
    return false;
  }
  if (!(range[0] < range[1])) {
    return fail(reader, node, "is limited and needs a range of two growing numbers");
  }
  bool convert = reader->degrees && link->joint == BULLET_HINGE;
  link->lower = convert ? to_radians(range[0]) : range[0];
  link->upper = convert ? to_radians(range[1]) : range[1];
  return true;
}

// `place` (3) receives the joint's place in its body.
static bool read_joint(const Reader* reader, const XmlNode* node, BulletLink* link,
                       double* place) {
  const char* type = xml_attribute(node, "type");
  if (!type || (strcmp(type, "slide") != 0 && strcmp(type, "hinge") != 0)) {
    return fail(reader, node, "needs a type: slide or hinge");
  }
  link->joint = strcmp(type, "slide") == 0 ? BULLET_SLIDE : BULLET_HINGE;
  link->axis[0] = 1;
  return read_name(reader, node, link->name) && read_vector(reader, node, "axis", link->axis, 3) &&
         read_vector(reader, node, "pos", place, 3) && read_limits(reader, node, link);
}

static double distance(const double* a, const double* b) {
  double x = a[0] - b[0];
  double y = a[1] - b[1];
  double z = a[2] - b[2];
  return sqrt(x * x + y * y + z * z);
}

// Radius, and how the rest of the shape is given.
static bool read_size(const Reader* reader, const XmlNode* node, BulletShape* shape) {
  double size[3] = {0, 1, 0};
  double ends[6] = {0};
  const char* type = xml_attribute(node, "type");
  bool sphere = type && strcmp(type, "sphere") == 0;
  if (!sphere && !(type && strcmp(type, "capsule") == 0)) {
    return fail(reader, node, "needs a type: capsule or sphere");
  }
  if (!read_numbers(reader, node, "size", size, 3, NULL) ||
      !read_vector(reader, node, "fromto", ends, 6)) {
    return false;
  }
  if (!(size[0] > 0 && size[1] > 0)) {
    return fail(reader, node, "needs a positive size");
  }
  bool from_to = xml_attribute(node, "fromto") != NULL;
  shape->kind = sphere ? BULLET_SPHERE : from_to ? BULLET_CAPSULE_FROM_TO : BULLET_CAPSULE;
  shape->radius = size[0];
  memcpy(shape->from, ends, sizeof shape->from);
  memcpy(shape->to, ends + 3, sizeof shape->to);
  shape->length = from_to ? distance(shape->from, shape->to) : 2 * size[1];
  return true;
}

static bool read_geom(const Reader* reader, const XmlNode* node, BulletLink* link) {
  BulletModel* model = reader->model;
  if (model->shape_count == BULLET_MAX_SHAPES) {
    return fail(reader, node, "too many geoms");
  }
  BulletShape* shape = &model->shapes[model->shape_count++];
  double turn[4] = {1, 0, 0, 0};
  link->friction = reader->friction;
  link->group = reader->group;
  link->mask = reader->mask;
  link->shape_count++;
  if (!read_size(reader, node, shape) || !read_vector(reader, node, "pos", shape->place, 3) ||
      !read_vector(reader, node, "axisangle", turn, 4) ||
      !read_integer(reader, node, "contype", &link->group) ||
      !read_integer(reader, node, "conaffinity", &link->mask) ||
      !read_friction(reader, node, &link->friction)) {
    return false;
  }
  memcpy(shape->turn_axis, turn, sizeof shape->turn_axis);
  shape->turn_angle = turn[3];
  for (int i = 0; i < 3; i++) {
    link->to_center[i] = 0.5 * (shape->from[i] + shape->to[i]);
  }
  return true;
}

static double volume(const BulletModel* model, const BulletLink* link) {
  double sum = 0;
  for (int i = 0; i < link->shape_count; i++) {
    const BulletShape* shape = &model->shapes[link->first_shape + i];
    double r = shape->radius;
    sum += 4. / 3. * BULLET_PI * r * r * r;
    if (shape->kind != BULLET_SPHERE) {
      sum += BULLET_PI * r * r * shape->length;
    }
  }
  return sum;
}

// Geoms and mass; places of shapes become relative to the centre of mass.
static bool read_matter(const Reader* reader, const XmlNode* body, BulletLink* link) {
  BulletModel* model = reader->model;
  link->first_shape = model->shape_count;
  for (const XmlNode* node = body->first; node; node = node->next) {
    if (strcmp(node->tag, "geom") == 0 && !read_geom(reader, node, link)) {
      return false;
    }
  }
  if (link->shape_count == 0) {
    return fail(reader, body, "needs a geom");
  }
  for (int i = 0; i < 3 * link->shape_count; i++) {
    model->shapes[link->first_shape + i / 3].place[i % 3] -= link->to_center[i % 3];
  }
  link->mass = DENSITY * volume(model, link);
  const char* mass = xml_attribute(xml_child(body, "inertial"), "mass");
  if (mass) {
    link->mass = strtod(mass, NULL);
  }
  return (link->mass > 0 && isfinite(link->mass)) || fail(reader, body, "needs a positive mass");
}

static BulletLink* add_link(const Reader* reader, const XmlNode* node, int parent) {
  BulletModel* model = reader->model;
  if (model->link_count == BULLET_MAX_LINKS) {
    fail(reader, node, "too many joints and bodies");
    return NULL;
  }
  BulletLink* link = &model->links[model->link_count++];
  *link = (BulletLink){.parent = parent, .friction = 0.5, .axis = {1, 0, 0}};
  return link;
}

// Sets link->from_parent to a place that is given relative to the parent's origin.
static void attach(const BulletModel* model, BulletLink* link, const double* place) {
  for (int i = 0; i < 3; i++) {
    double center = link->parent < 0 ? 0 : model->links[link->parent].to_center[i];
    link->from_parent[i] = place[i] - center;
  }
}

// Appends the massless links of a body's joints. On entry, *parent is the link of the parent's body
// and origin (3) the body's place in it; on return, the last link and the body's place in that.
// The first joint moves the origin to itself, the others keep their distance from the first.
static bool read_joints(const Reader* reader, const XmlNode* body, int* parent, double* origin) {
  BulletModel* model = reader->model;
  double first[3] = {0};
  bool any = false;
  for (const XmlNode* node = body->first; node; node = node->next) {
    if (strcmp(node->tag, "joint") != 0) {
      continue;
    }
    BulletLink* link = add_link(reader, node, *parent);
    double place[3] = {0};
    if (!link || !read_joint(reader, node, link, place)) {
      return false;
    }
    double at[3];
    for (int i = 0; i < 3; i++) {
      at[i] = (any ? -first[i] : origin[i]) + place[i];
      first[i] = any ? first[i] : place[i];
    }
    attach(model, link, at);
    any = true;
    *parent = model->link_count - 1;
  }
  for (int i = 0; any && i < 3; i++) {
    origin[i] = -first[i];
  }
  return true;
}

static bool read_body(const Reader* reader, const XmlNode* body, int parent) {
  BulletModel* model = reader->model;
  double origin[3] = {0};
  if (!read_vector(reader, body, "pos", origin, 3) ||
      !read_joints(reader, body, &parent, origin)) {
    return false;
  }
  BulletLink* link = add_link(reader, body, parent);
  if (!link || !read_name(reader, body, link->body) || !read_matter(reader, body, link)) {
    return false;
  }
  attach(model, link, origin);
  int self = model->link_count - 1;
  for (const XmlNode* node = body->first; node; node = node->next) {
    if (strcmp(node->tag, "body") == 0 && !read_body(reader, node, self)) {
      return false;
    }
  }
  return true;
}

static bool read_tree(BulletModel* model, const char* path, Arena* scratch, Error* error) {
  XmlNode* root;
  if (!xml_read_file(&root, path, scratch, error)) {
    return false;
  }
  const XmlNode* body = xml_child(xml_child(root, "worldbody"), "body");
  if (!body || !xml_child(body, "joint")) {
    return error_set(error, "%s: expected a body with a joint in <worldbody>", path);
  }
  *model = (BulletModel){0};
  Reader reader = {.model = model, .path = path, .error = error};
  reader.friction = 0.5;
  reader.group = reader.mask = 1;
  return read_defaults(&reader, root) && read_body(&reader, body, -1);
}

bool bullet_model_read(BulletModel* model, const char* path, Error* error) {
  Arena scratch;
  arena_init(&scratch);
  bool ok = read_tree(model, path, &scratch, error);
  arena_free(&scratch);
  return ok;
}

int bullet_model_body(const BulletModel* model, const char* body) {
  for (int i = 0; i < model->link_count; i++) {
    if (strcmp(model->links[i].body, body) == 0) {
      return i;
    }
  }
  return -1;
}

int bullet_model_joint(const BulletModel* model, const char* joint) {
  for (int i = 0; i < model->link_count; i++) {
    if (strcmp(model->links[i].name, joint) == 0) {
      return i;
    }
  }
  return -1;
}
