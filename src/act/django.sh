#!/bin/sh
# Starts Python in a release, with the same environment as agent.sh gives to
# its commands: KEY=VALUE lines, quotes around a value taken off, nothing run.
# $1 base $2 release $3 root $4 env $5 python $6 settings $7 host $8 commit
# $9 what Python is to run.
cd "$1/releases/$2/$3" || exit 1
cr=$(printf '\r')
if [ -n "$4" ]; then
	while IFS= read -r line || [ -n "$line" ]; do
		line=${line%"$cr"}
		line=${line#export }
		value=${line#*=}
		case $value in
		\"*\") value=${value#\"} value=${value%\"} ;;
		\'*\') value=${value#\'} value=${value%\'} ;;
		esac
		case ${line%%=*} in
		'' | '#'* | [0-9]* | *[!A-Za-z0-9_]*) continue ;;
		esac
		export "${line%%=*}=$value"
	done <"$1/$4" || exit 1
fi
: "${DJANGO_SETTINGS_MODULE:=$6}"
export DJANGO_SETTINGS_MODULE PYTHONUNBUFFERED=1 PYTHONUTF8=1
export SLUICE_PATH="$1" SLUICE_RELEASE="$2" SLUICE_HOST="$7" SLUICE_COMMIT="$8"
case $5 in
/*) ;;
*) set -- "$1" "$2" "$3" "$4" "$1/releases/$2/$5" "$6" "$7" "$8" "$9" ;;
esac
exec "$5" -c "$9"
