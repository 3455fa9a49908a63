# Read by scripts/check, scripts/test and scripts/demo: where scripts/setup put things. What is set already is kept.
# shellcheck shell=bash
if [ -z "${CALLCENTER_ASTERISK:-}" ]; then
  export CALLCENTER_ASTERISK_ROOT=${CALLCENTER_ASTERISK_ROOT:-$PWD/.var/asterisk/${CALLCENTER_SUITE:-sid}}
fi
export CALLCENTER_ASTERISK_OLD_ROOT=${CALLCENTER_ASTERISK_OLD_ROOT:-$PWD/.var/asterisk/bullseye}
export PATH=$PWD/.venv/bin:$PATH:$PWD/.var/tools/prometheus/usr/bin
export PYTHONDONTWRITEBYTECODE=1
