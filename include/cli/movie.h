// movie.h - where frames go: numbered PNG files in a directory, or a video through ffmpeg.
#ifndef CLI_MOVIE_H
#define CLI_MOVIE_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/error.h"
#include "store/files.h"

typedef struct {
  char directory[FILES_PATH_SIZE];  // of PNG files; "" = none
  int width, height;                // pixels
  int64_t frames;                   // added so far
  FILE* video;                      // to ffmpeg; NULL = none
  pid_t encoder;                    // its process
} Movie;

// directory and video may be NULL. Fails at once if there is no program ffmpeg to make a video.
bool movie_open(Movie* movie, const char* directory, const char* video, int width, int height,
                double frames_per_second, Error* error);

// rgb: (height, width, 3), rows from top to bottom.
bool movie_add(Movie* movie, const uint8_t* rgb, Error* error);

// Finishes the video.
bool movie_close(Movie* movie, Error* error);

#endif  // CLI_MOVIE_H
