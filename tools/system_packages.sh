#!/usr/bin/env bash
# Install what the tests use of the system: Debian's syslog-ng (a HEC client that others wrote), node with npm, the
# gateways NGINX (with njs) and HAProxy, and OpenLDAP's server.
# Without root or apt it says what stays untried, and the tests skip it by name; nothing fails for that.
set -euo pipefail

say() { printf '\033[2m» %s\033[0m\n' "$1" >&2; }

missing=()
[ -x /usr/sbin/syslog-ng ] || command -v syslog-ng >/dev/null || missing+=(syslog-ng-core)
[ -n "$(find /usr/lib -name libhttp.so -path '*syslog-ng*' -print -quit 2>/dev/null)" ] || missing+=(syslog-ng-mod-http)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
[ -x /usr/sbin/nginx ] || command -v nginx >/dev/null || missing+=(nginx-light)
[ -e /usr/lib/nginx/modules/ngx_http_js_module.so ] || missing+=(libnginx-mod-http-js)
[ -x /usr/sbin/slapd ] || command -v slapd >/dev/null || missing+=(slapd)
[ -x /usr/sbin/haproxy ] || command -v haproxy >/dev/null || missing+=(haproxy)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  say "not installed, so tests that need it are skipped: ${missing[*]} (as root: apt-get install ${missing[*]})"
  exit 0
fi
say "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 # RUNLEVEL: start no daemon
install() { timeout 240 apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; }
# One by one: what one package lacks must not take the others along.
install "${missing[@]}" || timeout 120 apt-get update -qq >/dev/null 2>&1 || true
for package in "${missing[@]}"; do
  install "$package" || say "apt-get could not install $package: the tests that need it are skipped"
done
