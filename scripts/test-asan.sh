#!/bin/sh
# Builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer beside the usual one and runs the native tests with it in
# the usual one's place, which a mount namespace of its own shows them alone. Fails for what a sanitizer says of our code, and
# for memory that our code, or libbpf for it, leaves behind. Arguments are those of run-tests.
set -eu
cd "$(dirname "$0")/.."

root=build/asan
reports=$PWD/$root/reports
mkdir -p $root
rm -rf "$reports"
mkdir "$reports"
for part in binding.gyp package.json native node_modules; do ln -sfn "$PWD/$part" $root/$part; done

# Node's headers turn RTTI off, without which -fsanitize=vptr does not link.
sanitize='-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g -O1'
echo 'addon, with sanitizers'
CXXFLAGS="$sanitize" LDFLAGS="$sanitize" \
  node-gyp configure build -C $root --nodedir="$BNG_NODE_DIR" --silent --jobs=2 >$root/addon.log 2>&1 ||
  { cat $root/addon.log; exit 1; }

# Node itself is not instrumented, so the runtimes must be there before it. Its own exit leaves memory behind by design (isolates,
# OpenSSL's tables), and a suppression by name would hide ours too, since every stack of ours ends in Node's frames: all leaks
# go to the reports, and those that have a frame of ours are looked for there.
runtimes="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)"
options="log_path=$reports/report:detect_leaks=1:exitcode=0:abort_on_error=0:malloc_context_size=40:fast_unwind_on_malloc=1"
status=0
REPORTS="$reports" LD_RUNTIMES="$runtimes" OPTIONS="$options" unshare --mount sh -euc '
  mount --make-rprivate /
  mount --bind build/asan/build/Release/bng_native.node build/Release/bng_native.node
  LD_PRELOAD="$LD_RUNTIMES" ASAN_OPTIONS="$OPTIONS" UBSAN_OPTIONS="log_path=$REPORTS/report:print_stacktrace=1" \
    exec node dist/scripts/run-tests.js native "$@"' sh "$@" || status=$?
exec node dist/scripts/sanitizer-reports.js "$reports" "$status"
