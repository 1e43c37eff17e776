#!/usr/bin/env bash
# Configures the machine that becomes the image, after the software is unpacked. It gets PRODUCT, RELEASE and DESTDIR, which is
# empty on a real machine and the root of the image in a rehearsal. It does not learn the environment: an image is promoted as it
# is, so that what was tested is what runs in production.
set -euo pipefail
install -d "$DESTDIR/etc"
cat >"$DESTDIR/etc/motd" <<EOF
$PRODUCT $RELEASE. Changes on this machine are lost with it: change the image repository instead.
EOF
