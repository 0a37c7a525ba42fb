. ./lib.sh
say "$(cat .checked), ready $APP_READY"
