#!/bin/sh
# Makes the Debian package of the centre, in dist/.
#
#   packaging/centre.sh           optimised, built for it
#   packaging/centre.sh PROFILE   of a binary that cargo built before: to try the package itself
set -eu
cd "$(dirname "$0")/.."

profile=${1:-release}
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
arch=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

say() { printf 'dist: %s\n' "$*"; }

case $profile in
release)
    say "building noroshi (many minutes)"
    cargo build --quiet --locked --release --bin noroshi
    binary=target/release/noroshi
    ;;
dev) binary=target/debug/noroshi ;;
*) binary=target/$profile/noroshi ;;
esac
mkdir -p dist
root=dist/root
rm -rf "$root"
install -D -m 755 "$binary" "$root/usr/bin/noroshi"
strip "$root/usr/bin/noroshi"
for unit in noroshi.service noroshi@.service; do
    install -D -m 644 "packaging/centre/$unit" "$root/lib/systemd/system/$unit"
done
doc=$root/usr/share/doc/noroshi
install -D -m 644 LICENSE "$doc/copyright"
install -m 644 README.md CHANGELOG.md docs/operations.md "$doc/"
install -D -m 644 config/registry.toml "$doc/examples/registry.toml"
install -d -m 755 "$root/etc/noroshi" "$root/DEBIAN"
sed -e 's,"data"\(  *#\),"/var/lib/noroshi/data"\1,' -e 's,"feeds.key"\(  *#\),"/var/lib/noroshi/feeds.key"\1,' \
    -e 's,"data/identity",/"var/lib/noroshi/data/identity",' -e 's,/"var,"/var,' \
    config/noroshi.toml >"$root/etc/noroshi/noroshi.toml"
chmod 644 "$root/etc/noroshi/noroshi.toml"
install -m 755 packaging/centre/postinst packaging/centre/prerm packaging/centre/postrm "$root/DEBIAN/"
echo /etc/noroshi/noroshi.toml >"$root/DEBIAN/conffiles"
glibc=$(objdump -T "$binary" | grep -o 'GLIBC_[0-9.]*' | sort -V | tail -n 1)
cat >"$root/DEBIAN/control" <<CONTROL
Package: noroshi
Version: $version
Architecture: $arch
Maintainer: The Noroshi developers <noroshi@localhost>
Section: net
Priority: optional
Depends: libc6 (>= ${glibc#GLIBC_}), libgcc-s1, passwd
Suggests: npm
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Description: regional early warning from unused address space: the centre
 Takes what sensors see, finds scan surges, infected hosts and victims of floods,
 and tells the CERT whose they are. Its engine is fetched by 'noroshi engine fetch'.
CONTROL
find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zzstd --build "$root" "dist/noroshi-$version-$arch.deb" >/dev/null
rm -r "$root"
say "dist/noroshi-$version-$arch.deb is made"
