#!/bin/sh
# Finds the Node.js this project uses and prints its folders as shell assignments: BNG_NODE_BIN (put in front of PATH)
# and BNG_NODE_DIR (for node-gyp --nodedir: holds include/node). Prints nothing and exits 1 when there is none.
# It installs nothing: that is setup.sh.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)

# sudo resets PATH to its secure_path, so the caller's own Node (nvm, /opt) may be out of sight: that is no error, we take our own.
new_enough() {
	"$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}

# A Node without headers next to it would make node-gyp download them, which hangs where nothing can be downloaded.
try() {
	[ -x "$1" ] || return 1
	new_enough "$1" || return 1
	real=$(readlink -f "$1")
	dir=$(dirname "$(dirname "$real")")
	[ -f "$dir/include/node/node_api.h" ] && [ -f "$dir/include/node/uv.h" ] || return 1
	[ -x "$(dirname "$1")/npm" ] || return 1
	echo "BNG_NODE_BIN='$(dirname "$1")'"
	echo "BNG_NODE_DIR='$dir'"
}

try "$root/.node/node_modules/.bin/node" && exit 0
path_node=$(command -v node) || exit 1
try "$path_node"
