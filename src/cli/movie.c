// movie.c - frames into PNG files, or through a pipe into ffmpeg.
//
// ffmpeg is a child with a pipe for its input, and gets raw frames: no codec is linked, and whoever
// has no ffmpeg can still have pictures. Whether it is there is asked before anything is drawn.
// SIGPIPE is ignored, so that an encoder that ends early is an error of ours with a sentence, and
// not a silent end; what ffmpeg itself says goes to the terminal.
#define _GNU_SOURCE
#include "cli/movie.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef AUTOMBPO_RENDER
#include <png.h>

static bool write_png(const char* path, const uint8_t* rgb, int width, int height, Error* error) {
  png_image image = {
      .version = PNG_IMAGE_VERSION,
      .width = (png_uint_32)width,
      .height = (png_uint_32)height,
      .format = PNG_FORMAT_RGB,
  };
  return png_image_write_to_file(&image, path, 0, rgb, 0, NULL) ||
         error_set(error, "%s: %s", path, image.message);
}

#else

static bool write_png(const char* path, const uint8_t* rgb, int width, int height, Error* error) {
  (void)rgb, (void)width, (void)height;
  return error_set(error, "%s: this build has no libpng", path);
}

#endif

// Whether a program is in one of the directories of PATH.
static bool have_program(const char* name) {
  const char* list = getenv("PATH");
  while (list && *list) {
    size_t length = strcspn(list, ":");
    char path[FILES_PATH_SIZE];
    int size = snprintf(path, sizeof path, "%.*s/%s", (int)length, list, name);
    if (size < (int)sizeof path && access(path, X_OK) == 0) {
      return true;
    }
    list += length + (list[length] == ':');
  }
  return false;
}

static void run_encoder(int input, const char* path, int width, int height, double rate) {
  char size[32], frames_per_second[32];
  snprintf(size, sizeof size, "%dx%d", width, height);
  snprintf(frames_per_second, sizeof frames_per_second, "%.6f", rate);
  dup2(input, STDIN_FILENO);
  close(input);
  execlp("ffmpeg", "ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24",
         "-s", size, "-r", frames_per_second, "-i", "-", "-pix_fmt", "yuv420p", path, (char*)NULL);
  _exit(127);
}

static bool start_encoder(Movie* movie, const char* path, double rate, Error* error) {
  int ends[2];
  if (!have_program("ffmpeg")) {
    return error_set(error,
                     "no program 'ffmpeg' in PATH to make %s with; --frames DIR writes the same "
                     "pictures as PNG files", path);
  }
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return error_errno(error, "pipe");
  }
  signal(SIGPIPE, SIG_IGN);
  movie->encoder = fork();
  if (movie->encoder < 0) {
    error_errno(error, "fork");
    close(ends[0]);
    close(ends[1]);
    return false;
  }
  if (movie->encoder == 0) {
    run_encoder(ends[0], path, movie->width, movie->height, rate);
  }
  close(ends[0]);
  movie->video = fdopen(ends[1], "wb");
  NEED(movie->video, "out of memory: no stream for a pipe");
  return true;
}

bool movie_open(Movie* movie, const char* directory, const char* video, int width, int height,
                double frames_per_second, Error* error) {
  *movie = (Movie){.width = width, .height = height};
  if (directory) {
    if (strlen(directory) + sizeof "/frame-0000000000.png" > sizeof movie->directory) {
      return error_set(error, "%s: name too long", directory);
    }
    strcpy(movie->directory, directory);
    if (!files_make_directory(directory, error)) {
      return false;
    }
  }
  return !video || start_encoder(movie, video, frames_per_second, error);
}

bool movie_add(Movie* movie, const uint8_t* rgb, Error* error) {
  if (movie->directory[0]) {
    char path[FILES_PATH_SIZE + 32];
    snprintf(path, sizeof path, "%s/frame-%06lld.png", movie->directory,
             (long long)movie->frames);
    if (!write_png(path, rgb, movie->width, movie->height, error)) {
      return false;
    }
  }
  size_t size = 3 * (size_t)movie->width * (size_t)movie->height;
  if (movie->video && fwrite(rgb, 1, size, movie->video) != size) {
    return error_set(error, "ffmpeg takes no more frames; what it says is above");
  }
  movie->frames++;
  return true;
}

bool movie_close(Movie* movie, Error* error) {
  if (!movie->video) {
    return true;
  }
  int status = 0;
  bool flushed = fclose(movie->video) == 0;
  movie->video = NULL;
  bool ended = waitpid(movie->encoder, &status, 0) == movie->encoder;
  bool good = flushed && ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return good || error_set(error, "ffmpeg failed; what it says is above");
}
