#!/bin/sh
# Installs the plugin interface below a temporary prefix and builds the documented example with it.
# usage: plugin_outside.sh CMAKE BUILD_DIR SOURCE_DIR
set -eu
cmake=$1 build=$2 source=$3
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
"$cmake" --install "$build" --component plugin --prefix "$work/prefix"
cp -r "$source/docs/examples/env_plugin" "$work/example"
"$cmake" -G Ninja -S "$work/example" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix"
"$cmake" --build "$work/build"
test -s "$work/build/swing_up.so"

# Without CMake, pkg-config finds the same header.
include=$(PKG_CONFIG_PATH=$work/prefix/share/pkgconfig pkg-config --cflags-only-I autombpo)
# shellcheck disable=SC2086
echo '#include <autombpo/env_plugin.h>' | cc $include -fsyntax-only -x c -
test -s "$work/build/swing_up.xml"
