// gl_context.c - finding an OpenGL that draws without a screen.
//
// Each way (EGL of Mesa, of a device, of the default display; OSMesa) is tried to the end: library,
// display, context, made current. The first that works stays. EGL is preferred because it can use a
// graphics card; all of them work without one.
//
// Nothing here is linked: libraries are opened and functions looked up at run time, so that one
// binary trains on nodes that have no graphics at all, and draws where they have. Without
// AUTOMBPO_RENDER (no headers at build time) the file shrinks to an error that says so.
#include "env/gl_context.h"

#ifdef AUTOMBPO_RENDER

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEVICES 16
#define OSMESA_SIZE 64   // pixels; MuJoCo draws into a buffer of its own
#define OSMESA_RGBA 0x1908
#define GL_BYTES 0x1401  // GL_UNSIGNED_BYTE

typedef void (*Function)(void);

// Finds a function of the loaded library. (ISO C has no cast from object to function pointers.)
static Function find(const GlContext* gl, const char* name) {
  Function function = NULL;
  void* symbol = dlsym(gl->library, name);
  memcpy(&function, &symbol, sizeof symbol);
  return function;
}

// MuJoCo looks for its functions in the libraries that are visible to all.
static bool load(GlContext* gl, const char* file) {
  gl->library = dlopen(file, RTLD_NOW | RTLD_GLOBAL);
  return gl->library != NULL;
}

#define EGL(type, name) ((type)find(gl, name))

typedef EGLBoolean (*Initialize)(EGLDisplay, EGLint*, EGLint*);
typedef EGLBoolean (*ChooseConfig)(EGLDisplay, const EGLint*, EGLConfig*, EGLint, EGLint*);
typedef EGLBoolean (*BindApi)(EGLenum);
typedef EGLContext (*CreateContext)(EGLDisplay, EGLConfig, EGLContext, const EGLint*);
typedef EGLSurface (*CreatePbuffer)(EGLDisplay, EGLConfig, const EGLint*);
typedef EGLBoolean (*MakeCurrent)(EGLDisplay, EGLSurface, EGLSurface, EGLContext);
typedef EGLBoolean (*DestroyContext)(EGLDisplay, EGLContext);
typedef EGLBoolean (*DestroySurface)(EGLDisplay, EGLSurface);
typedef EGLBoolean (*Terminate)(EGLDisplay);
typedef EGLDisplay (*GetDisplay)(EGLNativeDisplayType);
typedef Function (*GetProcAddress)(const char*);

static bool make_current(GlContext* gl, EGLConfig config) {
  MakeCurrent current = EGL(MakeCurrent, "eglMakeCurrent");
  gl->surface = EGL_NO_SURFACE;
  if (current(gl->display, EGL_NO_SURFACE, EGL_NO_SURFACE, gl->context)) {
    return true;
  }
  const EGLint size[] = {EGL_WIDTH, 8, EGL_HEIGHT, 8, EGL_NONE};
  gl->surface = EGL(CreatePbuffer, "eglCreatePbufferSurface")(gl->display, config, size);
  return gl->surface != EGL_NO_SURFACE &&
         current(gl->display, gl->surface, gl->surface, gl->context);
}

static bool start_display(GlContext* gl, EGLDisplay display, const char* name) {
  static const EGLint wanted[] = {
      EGL_RED_SIZE, 8, EGL_GREEN_SIZE, 8, EGL_BLUE_SIZE, 8, EGL_ALPHA_SIZE, 8,
      EGL_DEPTH_SIZE, 24, EGL_STENCIL_SIZE, 8, EGL_COLOR_BUFFER_TYPE, EGL_RGB_BUFFER,
      EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_NONE};
  EGLint major, minor, count = 0;
  EGLConfig config;
  gl->display = display;
  gl->name = name;
  if (display == EGL_NO_DISPLAY || !EGL(Initialize, "eglInitialize")(display, &major, &minor)) {
    return false;
  }
  if (EGL(ChooseConfig, "eglChooseConfig")(display, wanted, &config, 1, &count) && count == 1 &&
      EGL(BindApi, "eglBindAPI")(EGL_OPENGL_API)) {
    gl->context = EGL(CreateContext, "eglCreateContext")(display, config, EGL_NO_CONTEXT, NULL);
    if (gl->context != EGL_NO_CONTEXT && make_current(gl, config)) {
      return true;
    }
  }
  EGL(Terminate, "eglTerminate")(display);
  return false;
}

static bool start_devices(GlContext* gl, PFNEGLGETPLATFORMDISPLAYEXTPROC platform_display,
                          PFNEGLQUERYDEVICESEXTPROC query) {
  EGLDeviceEXT devices[MAX_DEVICES];
  EGLint count = 0;
  if (!query(MAX_DEVICES, devices, &count)) {
    return false;
  }
  for (int i = 0; i < count; i++) {
    EGLDisplay display = platform_display(EGL_PLATFORM_DEVICE_EXT, devices[i], NULL);
    if (start_display(gl, display, "EGL device")) {
      return true;
    }
  }
  return false;
}

static bool start_egl(GlContext* gl) {
  if (!load(gl, "libEGL.so.1")) {
    return false;
  }
  GetProcAddress address = EGL(GetProcAddress, "eglGetProcAddress");
  PFNEGLGETPLATFORMDISPLAYEXTPROC platform_display =
      (PFNEGLGETPLATFORMDISPLAYEXTPROC)address("eglGetPlatformDisplayEXT");
  PFNEGLQUERYDEVICESEXTPROC query = (PFNEGLQUERYDEVICESEXTPROC)address("eglQueryDevicesEXT");
  if (platform_display) {
    EGLDisplay display = platform_display(EGL_PLATFORM_SURFACELESS_MESA, NULL, NULL);
    if (start_display(gl, display, "EGL surfaceless") ||
        (query && start_devices(gl, platform_display, query))) {
      return true;
    }
  }
  return start_display(gl, EGL(GetDisplay, "eglGetDisplay")(EGL_DEFAULT_DISPLAY), "EGL");
}

typedef void* (*OsmesaCreate)(unsigned, int, int, int, void*);
typedef unsigned char (*OsmesaCurrent)(void*, void*, unsigned, int, int);
typedef void (*OsmesaDestroy)(void*);

static bool start_osmesa(GlContext* gl, Arena* arena) {
  if (!load(gl, "libOSMesa.so.8") && !load(gl, "libOSMesa.so")) {
    return false;
  }
  OsmesaCreate create = (OsmesaCreate)find(gl, "OSMesaCreateContextExt");
  OsmesaCurrent current = (OsmesaCurrent)find(gl, "OSMesaMakeCurrent");
  void* pixels = arena_alloc(arena, 4 * OSMESA_SIZE * OSMESA_SIZE);
  gl->name = "OSMesa";
  gl->display = NULL;
  gl->context = create(OSMESA_RGBA, 24, 8, 8, NULL);
  return gl->context && current(gl->context, pixels, GL_BYTES, OSMESA_SIZE, OSMESA_SIZE);
}

bool gl_context_open(GlContext* gl, Arena* arena, Error* error) {
  *gl = (GlContext){0};
  const char* choice = getenv("MUJOCO_GL");
  bool any = !choice || (strcmp(choice, "egl") != 0 && strcmp(choice, "osmesa") != 0);
  if ((any || strcmp(choice, "egl") == 0) && start_egl(gl)) {
    return true;
  }
  if ((any || strcmp(choice, "osmesa") == 0) && start_osmesa(gl, arena)) {
    return true;
  }
  return error_set(error, "no OpenGL to draw with: %s%s could not be started (Debian: libegl1 "
                   "with libgl1-mesa-dri, or libosmesa6)", any ? "neither EGL nor OSMesa" : choice,
                   any ? "" : " (MUJOCO_GL)");
}

// EGL's display stays open: Mesa's driver loses memory when it is unloaded.
void gl_context_close(GlContext* gl) {
  if (!gl->display) {
    ((OsmesaDestroy)find(gl, "OSMesaDestroyContext"))(gl->context);
    return;
  }
  EGL(MakeCurrent, "eglMakeCurrent")(gl->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
  EGL(DestroyContext, "eglDestroyContext")(gl->display, gl->context);
  if (gl->surface != EGL_NO_SURFACE) {
    EGL(DestroySurface, "eglDestroySurface")(gl->display, gl->surface);
  }
}

#else

bool gl_context_open(GlContext* gl, Arena* arena, Error* error) {
  (void)gl, (void)arena;
  return error_set(error, "this build cannot draw (it was made without EGL and libpng)");
}

void gl_context_close(GlContext* gl) { (void)gl; }

#endif  // AUTOMBPO_RENDER
