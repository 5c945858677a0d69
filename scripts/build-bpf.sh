#!/bin/sh
# Builds build/bpf/bng.bpf.o (the dataplane), abi.bpf.o (BTF for scripts/generate-abi) and, where the source exists,
# olt.bpf.o (the simulated OLT), and pass.bpf.o for tests. Needs clang, bpftool and the headers of linux-libc-dev and libbpf-dev.
set -eu
cd "$(dirname "$0")/.."
out=build/bpf
mkdir -p "$out"

compile() {
	clang -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Wpadded -Werror "-I/usr/include/$(gcc -dumpmachine)" \
		-c "bpf/$1.bpf.c" -o "$out/$2"
}

for entry in access core egress carry; do
	compile "$entry" "$entry.part.o"
done
bpftool gen object "$out/bng.bpf.o" "$out/access.part.o" "$out/core.part.o" "$out/egress.part.o" \
	"$out/carry.part.o"
compile abi abi.bpf.o
compile pass pass.bpf.o
if [ -e bpf/olt.bpf.c ]; then
	compile olt olt.bpf.o
fi
