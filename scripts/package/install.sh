#!/bin/sh
# Puts the built project in place, or takes it away: `install.sh install|uninstall`, with DESTDIR and PREFIX (default /usr/local) as
# make passes them. BUNDLE_NODE=1 copies the Node.js binary in use beside it. Touches no configuration and no state.
set -eu

cd "$(dirname "$0")/../.."
verb=${1:?install or uninstall}
prefix=${PREFIX:-/usr/local}
root=${DESTDIR:-}$prefix
lib=$root/lib/bng
manuals=$root/share/man/man1
completions=$root/share/bash-completion/completions
unit_folder=${DESTDIR:-}${UNIT_DIR:-/lib/systemd/system}

remove() {
	rm -rf "$lib" "$root/share/doc/bng"
	rm -f "$root/bin/bng" "$root/bin/bngctl" "$unit_folder/bng.service" "$completions/bng" "$completions/bngctl" \
		"$manuals/bngctl.1" "$manuals/bngctl.1.gz" "$manuals/bng.1" "$manuals/bng.1.gz"
}

# What runs needs: packages of `dependencies`, without the sources that their addons were built from.
copy_modules() {
	node -p 'Object.entries(require("./package-lock.json").packages).filter(([path, of]) => path !== "" && !of.dev && !of.devOptional).map(([path]) => path).join("\n")' | while read -r module; do
		[ -d "$module" ] || continue
		case $module in node_modules/node-addon-api | node_modules/prebuild-install) continue ;; esac
		mkdir -p "$lib/$module"
		tar -C "$module" --exclude=./node_modules --exclude='.[a-zA-Z]*' --exclude='./test*' --exclude='*.sh' --exclude='*.html' --exclude='*config.js' --exclude='*config.mjs' --exclude=./integration --exclude=./scripts --exclude=./bin --exclude='*.map' --exclude='*.md' --exclude='*.ts' \
			--exclude='*.mts' --exclude='*.cts' --exclude=./browser --exclude=./.github --exclude=./docs --exclude=./examples --exclude=./benchmarks \
			--exclude=./deps --exclude=./src/*.cpp --exclude=./src/*.hpp --exclude='./build/Release/obj*' --exclude='./build/Release/.*' \
			--exclude='./build/Release/test_extension.node' --exclude='*.gyp*' --exclude='*.a' --exclude=Makefile --exclude='*.mk' \
			-cf - . | tar -C "$lib/$module" --no-same-owner -xf -
	done
}

place() {
	[ -e dist/src/bin/bng.js ] && [ -e build/Release/bng_native.node ] && [ -e build/bpf/bng.bpf.o ] ||
		{ echo 'install: nothing is built: run make build' >&2; exit 1; }
	remove
	umask 022
	mkdir -p "$lib/dist" "$lib/build/Release" "$lib/build/bpf" "$root/bin" "$root/share/doc/bng" "$unit_folder"
	cp -R dist/src "$lib/dist/"
	find "$lib/dist" -name '*.map' -delete
	rm -rf "$lib/dist/.tsc"
	install -m 644 package.json "$lib/"
	strip --strip-unneeded -o "$lib/build/Release/bng_native.node" build/Release/bng_native.node
	chmod 644 "$lib/build/Release/bng_native.node"
	# The lab's simulated access node has an object of its own; `bng demo` works from an installed tree, too.
	install -m 644 build/bpf/bng.bpf.o build/bpf/olt.bpf.o "$lib/build/bpf/"
	copy_modules
	find "$lib/node_modules" -path '*/prebuilds/*.node' ! -name "linux-$(node -p process.arch).node" -delete
	find "$lib/node_modules" -name '*.node' -exec strip --strip-unneeded {} + -exec chmod 644 {} +
	find "$lib/node_modules" -type f ! -name '*.node' -exec chmod 644 {} +
	node=/usr/bin/env\ node
	if [ "${BUNDLE_NODE:-}" = 1 ]; then
		mkdir -p "$lib/bin"
		strip --strip-unneeded -o "$lib/bin/node" "$(node -p process.execPath)"
		chmod 755 "$lib/bin/node"
		node=$prefix/lib/bng/bin/node
	fi
	for command in bng bngctl; do
		printf '#!/bin/sh\nexec %s %s/lib/bng/dist/src/bin/%s.js "$@"\n' "$node" "$prefix" "$command" >"$root/bin/$command"
		chmod 755 "$root/bin/$command"
	done
	sed "s|/usr/bin/bng |$prefix/bin/bng |" deploy/systemd/bng.service >"$unit_folder/bng.service"
	install -m 644 deploy/bng.example.yaml README.md "$root/share/doc/bng/"
	mkdir -p "$manuals" "$completions"
	install -m 644 docs/bng.1 docs/bngctl.1 "$manuals/"
	for command in bng bngctl; do install -m 644 "deploy/completion/$command.bash" "$completions/$command"; done
}

case $verb in
install) place ;;
uninstall) remove ;;
*) echo "install.sh: expected install or uninstall, found $verb" >&2; exit 2 ;;
esac
