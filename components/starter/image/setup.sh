#!/usr/bin/env bash
# Configures the machine that becomes the image, after the software is unpacked. It gets PRODUCT, RELEASE and DESTDIR, which is
# empty on a real machine. It does not learn the environment: an image is promoted as it is.
set -euo pipefail
