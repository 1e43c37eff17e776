#!/usr/bin/env bash
# Checks the finished machine; the bake fails when this does.
set -euo pipefail
test -s "$DESTDIR/etc/motd"
test -x "$DESTDIR/opt/$PRODUCT/software/shop"
