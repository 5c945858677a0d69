#!/bin/sh
# Builds build/bng_VERSION_ARCH.deb from what is built. VERSION=... instead of package.json's, BUILD=... instead of build/,
# COMPRESSION=gzip LEVEL=1 for haste.
set -eu

cd "$(dirname "$0")/../.."
version=${VERSION:-$(node -p 'require("./package.json").version')}
architecture=$(dpkg --print-architecture)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
trap 'exit 130' INT TERM

chmod 755 "$root"
DESTDIR=$root PREFIX=/usr BUNDLE_NODE=1 scripts/package/install.sh install
install -d -m 750 "$root/etc/bng"
install -m 640 deploy/bng.example.yaml "$root/etc/bng/bng.yaml"
install -d -m 755 "$root/usr/share/lintian/overrides" "$root/DEBIAN"
install -m 644 deploy/debian/copyright "$root/usr/share/doc/bng/copyright"
install -m 644 deploy/debian/lintian-overrides "$root/usr/share/lintian/overrides/bng"
printf 'bng (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- BNG maintainers <bng@users.noreply.github.com>  %s\n' \
	"$version" "$(LC_ALL=C date -R -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}")" |
	gzip -9n >"$root/usr/share/doc/bng/changelog.gz"
gzip -9n "$root/usr/share/doc/bng/README.md" "$root"/usr/share/man/man1/*.1

# Which Debian packages hold the libraries that the binaries ask for.
work=$root.shlibs
mkdir -p "$work/debian"
: >"$work/debian/control"
libraries=$(cd "$work" && find "$root" \( -name '*.node' -o -path '*/lib/bng/bin/node' \) -print0 |
	xargs -0 dpkg-shlibdeps --ignore-missing-info -O 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
rm -rf "$work"
[ -n "$libraries" ] || { echo 'build-deb: dpkg-shlibdeps found no library' >&2; exit 1; }

(cd "$root" && find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
sed "s|@VERSION@|$version|; s|@ARCHITECTURE@|$architecture|; s|@LIBRARIES@|$libraries|; s|@SIZE@|$(du -sk "$root" | cut -f1)|" \
	deploy/debian/control.in >"$root/DEBIAN/control"
echo /etc/bng/bng.yaml >"$root/DEBIAN/conffiles"
for script in postinst prerm postrm; do install -m 755 "deploy/debian/$script" "$root/DEBIAN/$script"; done
chmod 644 "$root/DEBIAN/md5sums" "$root/DEBIAN/control" "$root/DEBIAN/conffiles"
built=${BUILD:-build}/bng_${version}_$architecture.deb
mkdir -p "$(dirname "$built")"
dpkg-deb --root-owner-group -Z"${COMPRESSION:-xz}" -z"${LEVEL:-6}" --build "$root" "$built" >/dev/null
echo "$built"
