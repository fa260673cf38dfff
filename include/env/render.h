// render.h - pictures of a robot, drawn by MuJoCo into memory.
//
// Works from a MJCF file and joint positions alone, so that it draws Bullet's robots as well. The
// floor is endless, and the camera that the file calls "track" follows.
#ifndef ENV_RENDER_H
#define ENV_RENDER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

typedef struct Renderer Renderer;

typedef struct {
  int width, height;     // pixels
  const char* camera;    // of the file; NULL = "track", else one that looks at everything
} RenderOptions;

// The renderer lives in the arena until renderer_close. One per process at a time.
bool renderer_open(Renderer** renderer, const char* model, const RenderOptions* options,
                   Arena* arena, Error* error);
void renderer_close(Renderer* renderer);

// "EGL surfaceless", ...
const char* renderer_name(const Renderer* renderer);

// Draws the pose qpos (nq of the model). rgb (height, width, 3): rows from top to bottom.
void renderer_draw(Renderer* renderer, uint8_t* rgb, const double* qpos);

#endif  // ENV_RENDER_H
