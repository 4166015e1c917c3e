#!/bin/sh
# Makes what goes to the field, in dist/: the sensor as one static file, the list of what is in it
# (CycloneDX), a Debian package, and checksums.
#
#   packaging/dist.sh             for this machine's kind
#   packaging/dist.sh TARGET      for another, as rustc names it; needs its linker and standard library
#
# The same sources give the same bytes, wherever and by whomever they are built: paths are left
# out, and times are those of the last commit.
set -eu
cd "$(dirname "$0")/.."

target=${1:-$(rustc -vV | sed -n 's/^host: //p')}
case $target in
x86_64-*) arch=amd64 ;;
aarch64-*) arch=arm64 ;;
*)
    echo "dist: no Debian architecture is known for $target: add it to packaging/dist.sh" >&2
    exit 1
    ;;
esac
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
here=$(pwd)
cargo_home=${CARGO_HOME:-$HOME/.cargo}
remap="--remap-path-prefix=$here=."
cargo fetch --quiet --locked
for registry in "$cargo_home"/registry/src/*; do # each machine names it by where it is fetched from
    remap="$remap --remap-path-prefix=$registry=registry"
done
if [ "$arch" = arm64 ] && [ "$(uname -m)" != aarch64 ]; then # Debian's cross compiler: crossbuild-essential-arm64
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
fi
name=noroshi-sensor-$version-$arch

say() { printf 'dist: %s\n' "$*"; }

say "building $name (some minutes)"
# Batches are compressed with one of zstd's fast ways: its thorough ones are left out.
zstd="-DZSTD_EXCLUDE_GREEDY_BLOCK_COMPRESSOR -DZSTD_EXCLUDE_LAZY_BLOCK_COMPRESSOR -DZSTD_EXCLUDE_LAZY2_BLOCK_COMPRESSOR \
    -DZSTD_EXCLUDE_BTLAZY2_BLOCK_COMPRESSOR -DZSTD_EXCLUDE_BTOPT_BLOCK_COMPRESSOR -DZSTD_EXCLUDE_BTULTRA_BLOCK_COMPRESSOR"
# Not position-independent: one file that needs no loader. libpcap, the one C library, is left
# out: interfaces of Linux are read through our own ring.
RUSTFLAGS="-C target-feature=+crt-static -C relocation-model=static -C force-unwind-tables=no -C link-arg=-Wl,--build-id=none $remap" \
    CFLAGS="-g0 -fno-unwind-tables -fno-asynchronous-unwind-tables -ffile-prefix-map=$cargo_home=cargo $zstd" cargo build --quiet --locked --profile dist -p noroshi-sensor --no-default-features --target "$target"
rm -rf dist
mkdir -p dist
cp "target/$target/dist/noroshi-sensor" "dist/$name"

say "listing what is in it"
cargo cyclonedx --quiet --manifest-path sensor/Cargo.toml --format json \
    --target "$target" --no-default-features --no-build-deps --override-filename sbom
sed "s,file://$here,file://.,g" sensor/sbom.json >"dist/$name.cdx.json"
rm -f sbom.json ./*/sbom.json # it lists every crate of the workspace

say "packing"
root=dist/root
install -D -m 755 "dist/$name" "$root/usr/bin/noroshi-sensor"
install -D -m 644 packaging/sensor/noroshi-sensor.service "$root/lib/systemd/system/noroshi-sensor.service"
install -D -m 644 LICENSE "$root/usr/share/doc/noroshi-sensor/copyright"
install -d -m 755 "$root/etc/noroshi" "$root/DEBIAN"
sed -e 's,"salt","/var/lib/noroshi-sensor/salt",' -e 's,"spool","/var/lib/noroshi-sensor/spool",' \
    -e 's,"identity","/var/lib/noroshi-sensor/identity",' -e 's,"update","/var/lib/noroshi-sensor/update",' \
    config/sensor.toml >"$root/etc/noroshi/sensor.toml"
chmod 644 "$root/etc/noroshi/sensor.toml"
install -m 755 packaging/sensor/postinst packaging/sensor/prerm packaging/sensor/postrm "$root/DEBIAN/"
echo /etc/noroshi/sensor.toml >"$root/DEBIAN/conffiles"
cat >"$root/DEBIAN/control" <<CONTROL
Package: noroshi-sensor
Version: $version
Architecture: $arch
Maintainer: The Noroshi developers <noroshi@localhost>
Section: net
Priority: optional
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Description: watches unused address space and tells the centre who knocks
 Summaries of packets (never their payload) go to a Noroshi centre, which warns
 whose hosts are infected and who is under attack. One static binary.
CONTROL
find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group --build "$root" "dist/$name.deb" >/dev/null
rm -r "$root"

(cd dist && sha256sum ./* >SHA256SUMS)
say "done"
ls -l dist
