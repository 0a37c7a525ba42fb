#!/bin/sh
set -eu
for template in /etc/nginx/templates/*.template; do
    envsubst '$PORT' <"$template" >"/etc/nginx/conf.d/$(basename "$template" .template)"
done
