// gl_context.h - OpenGL without a display, for drawing into memory.
//
// Tried in this order: EGL without a surface (Mesa), of a device, on the default display; OSMesa.
// All of them work without a graphics card, on Mesa's software renderer. The libraries are loaded
// when asked for, so that the program runs where there are none. MUJOCO_GL=egl or osmesa chooses.
#ifndef ENV_GL_CONTEXT_H
#define ENV_GL_CONTEXT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"

typedef struct {
  void* library;       // of EGL or OSMesa; stays loaded
  void* display;       // of EGL
  void* context;
  void* surface;       // of EGL, if one was needed
  const char* name;    // "EGL surfaceless", ...
} GlContext;

// Makes a context and makes it current. One per process at a time.
bool gl_context_open(GlContext* gl, Arena* arena, Error* error);
void gl_context_close(GlContext* gl);

#endif  // ENV_GL_CONTEXT_H
