// render.c - MuJoCo's visualiser on a picture in memory.
//
// A Renderer has a model and data of its own, which never simulate: joint positions are copied in,
// and only kinematics is calculated from them. So pictures cannot disturb an episode, and a robot
// of Bullet is drawn from the same MJCF file and its joint angles.
//
// Two details are there for equal pixels: the first picture of a context differs from later ones in
// rounding, hence one is drawn and dropped; and OpenGL's rows come from the bottom up, and are
// turned.
#include "env/render.h"

#include <mujoco/mujoco.h>
#include <string.h>

#include "env/gl_context.h"

#define MAX_GEOMS 2000

struct Renderer {
  GlContext gl;
  int width, height;
  mjModel* model;
  mjData* data;
  mjvCamera camera;
  mjvOption option;
  mjvScene scene;
  mjrContext context;
  uint8_t* upward;  // (height, width, 3): rows from bottom to top, as OpenGL gives them
};

static void ignore_warning(const char* text) { (void)text; }

// Floors have the size of the original tasks, which fast robots leave.
static void make_floor_endless(mjModel* model) {
  int floor = mj_name2id(model, mjOBJ_GEOM, "floor");
  if (floor >= 0 && model->geom_type[floor] == mjGEOM_PLANE) {
    model->geom_size[3 * floor] = 0;
    model->geom_size[3 * floor + 1] = 0;
  }
}

static bool choose_camera(Renderer* renderer, const char* name, Error* error) {
  const mjModel* model = renderer->model;
  int id = mj_name2id(model, mjOBJ_CAMERA, name ? name : "track");
  mjv_defaultCamera(&renderer->camera);
  if (id >= 0) {
    renderer->camera.type = mjCAMERA_FIXED;
    renderer->camera.fixedcamid = id;
    return true;
  }
  if (name) {
    return error_set(error, "the model has no camera '%s'", name);
  }
  mjv_defaultFreeCamera(model, &renderer->camera);
  return true;
}

static bool load_model(Renderer* renderer, const char* path, const RenderOptions* options,
                       Error* error) {
  char text[1000] = "";
  mju_user_warning = ignore_warning;
  renderer->model = mj_loadXML(path, NULL, text, (int)sizeof text);
  if (!renderer->model) {
    return error_set(error, "%s: %s", path, text);
  }
  if (!choose_camera(renderer, options->camera, error)) {
    mj_deleteModel(renderer->model);
    return error_add(error, "%s", path);
  }
  make_floor_endless(renderer->model);
  renderer->model->vis.global.offwidth = options->width;
  renderer->model->vis.global.offheight = options->height;
  return true;
}

static void make_scene(Renderer* renderer) {
  renderer->data = mj_makeData(renderer->model);
  mjv_defaultOption(&renderer->option);
  mjv_defaultScene(&renderer->scene);
  mjr_defaultContext(&renderer->context);
  mjv_makeScene(renderer->model, &renderer->scene, MAX_GEOMS);
  mjr_makeContext(renderer->model, &renderer->context, mjFONTSCALE_100);
  mjr_setBuffer(mjFB_OFFSCREEN, &renderer->context);
}

// Places of bodies, cameras and lights, without dynamics.
static void place(const mjModel* model, mjData* data, const double* qpos) {
  memcpy(data->qpos, qpos, sizeof(double) * (size_t)model->nq);
  mj_kinematics(model, data);
  mj_comPos(model, data);
  mj_camlight(model, data);
}

// Fills renderer->upward.
static void draw_upward(Renderer* renderer, const double* qpos) {
  mjrRect view = {0, 0, renderer->width, renderer->height};
  place(renderer->model, renderer->data, qpos);
  mjv_updateScene(renderer->model, renderer->data, &renderer->option, NULL, &renderer->camera,
                  mjCAT_ALL, &renderer->scene);
  mjr_render(view, &renderer->scene, &renderer->context);
  mjr_readPixels(renderer->upward, NULL, view, &renderer->context);
}

void renderer_draw(Renderer* renderer, uint8_t* rgb, const double* qpos) {
  draw_upward(renderer, qpos);
  size_t row = 3 * (size_t)renderer->width;
  size_t height = (size_t)renderer->height;
  for (size_t y = 0; y < height; y++) {
    memcpy(rgb + row * y, renderer->upward + row * (height - 1 - y), row);
  }
}

bool renderer_open(Renderer** out, const char* model, const RenderOptions* options, Arena* arena,
                   Error* error) {
  Renderer* renderer = ARENA_NEW(arena, 1, Renderer);
  renderer->width = options->width;
  renderer->height = options->height;
  renderer->upward = ARENA_NEW(arena, 3 * options->width * options->height, uint8_t);
  if (!load_model(renderer, model, options, error)) {
    return false;
  }
  if (!gl_context_open(&renderer->gl, arena, error)) {
    mj_deleteModel(renderer->model);
    return false;
  }
  make_scene(renderer);
  *out = renderer;
  // The first picture of a context differs from later ones in rounding.
  draw_upward(renderer, renderer->model->qpos0);
  if (renderer->context.currentBuffer != mjFB_OFFSCREEN) {
    renderer_close(renderer);
    return error_set(error, "OpenGL has no off-screen buffer of %d x %d", options->width,
                     options->height);
  }
  return true;
}

void renderer_close(Renderer* renderer) {
  mjr_freeContext(&renderer->context);
  mjv_freeScene(&renderer->scene);
  mj_deleteData(renderer->data);
  mj_deleteModel(renderer->model);
  gl_context_close(&renderer->gl);
}

const char* renderer_name(const Renderer* renderer) { return renderer->gl.name; }
