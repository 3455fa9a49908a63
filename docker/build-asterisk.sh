#!/bin/sh
# Builds Debian's Asterisk without its patch 2016_opus_plc, which leaves the seat's words out of recordings (Debian bug
# 1060275). For docker/asterisk.Dockerfile, and for administrators who install Debian's package.
#
#   docker/build-asterisk.sh [FOLDER]     as root; the three packages come into FOLDER, by default ./asterisk-packages
#
# It installs some 600 packages to compile with, and compiles for 5 to 40 minutes: take a container, a chroot or another
# machine of the same Debian release. Then, where Asterisk runs:
#
#   apt-get install FOLDER/*.deb && apt-mark hold asterisk asterisk-modules asterisk-config
#
# "hold", because Debian's next release of the package has the patch again: then build anew. The version ends in
# +callcenter1, which `callcenter check` knows. CALLCENTER_JOBS=N: how many compilers at once (default: one a processor).
set -eu
umask 022

fail() { echo "build-asterisk: $1" >&2; exit 1; }
usage="usage: build-asterisk.sh [FOLDER]"
case ${1:-} in
  -h | --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
  -*) fail "unknown option $1; $usage" ;;
esac
[ $# -le 1 ] || fail "only one FOLDER, please; $usage"
[ "$(id -u)" = 0 ] || fail "compiling needs packages that only root can install; run it as root, best in a container"
command -v apt-get >/dev/null || fail "this is no Debian system; run it in a container of debian:sid"

patch=2016_opus_plc.patch mark=+callcenter1
mkdir -p "${1:-asterisk-packages}" || fail "cannot make the folder ${1:-asterisk-packages}"
packages=$(cd "${1:-asterisk-packages}" && pwd -P)
work=$(mktemp -d)
# Debian's images name binary packages only; the same places have the sources.
sources=/etc/apt/sources.list.d/callcenter-asterisk
trap 'rm -rf "$work" "$sources.list" "$sources.sources"' EXIT
trap 'exit 130' INT TERM HUP

add_sources() {
  ! apt-cache showsrc --only-source asterisk 2>/dev/null | grep -q '^Package: asterisk$' || return 0
  [ ! -e /etc/apt/sources.list.d/debian.sources ] \
    || sed 's/^Types:.*/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >"$sources.sources"
  [ ! -e /etc/apt/sources.list ] || sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >"$sources.list"
  apt-get update -qq
}

apt-get update -qq || fail "apt-get update failed; mend the package sources in /etc/apt or the network"
add_sources || fail "apt-get update failed for source packages; does the mirror have them?"
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get install -y -qq --no-install-recommends dpkg-dev \
  && apt-get build-dep -y -qq --no-install-recommends -P nodoc asterisk; } >"$work/log" 2>&1; then
  tail -n 8 "$work/log" >&2
  fail "apt-get could not install what Asterisk is compiled with; see the lines above"
fi

cd "$work"
apt-get source -qq -o APT::Sandbox::User=root --download-only asterisk \
  || fail "apt-get could not download the source package; only Debian sid has one (and bullseye, which needs none of this)"
dpkg-source --no-check --skip-patches -x asterisk_*.dsc source >>"$work/log" 2>&1 || fail "the source package cannot be unpacked"
cd source
grep -qx "$patch" debian/patches/series \
  || fail "this release of the package has no $patch (any more); install Debian's own package as it is"
sed -i "/^$patch\$/d" debian/patches/series
sed -i "1s/)/$mark)/" debian/changelog
echo "compiling $(dpkg-parsechangelog -S Version) ..."
DEB_BUILD_PROFILES=nodoc DEB_BUILD_OPTIONS="nocheck nodoc terse parallel=${CALLCENTER_JOBS:-$(nproc)}" \
  dpkg-buildpackage --build=binary --no-sign >>"$work/log" 2>&1 \
  || { tail -n 30 "$work/log" >&2; fail "compiling failed; see the lines above"; }
cd ..
for package in asterisk asterisk-modules asterisk-config; do
  cp "$package"_*.deb "$packages" || fail "the build made no package $package"
done
ls "$packages"
