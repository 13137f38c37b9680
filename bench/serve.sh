#!/bin/sh
# Boardroom as an entrant of the peer benchmark, which gives PORT and DATA_DIR. Limits of one person and one address
# are raised, because the load comes from one of each; everything else is as delivered.
export BOARDROOM_DATA_DIR="$DATA_DIR/boardroom"
export BOARDROOM_LOG_LEVEL="${BOARDROOM_LOG_LEVEL:-warn}"
export BOARDROOM_MAX_CONNECTIONS=10000
export BOARDROOM_MAX_CONNECTIONS_PER_IP=10000
export BOARDROOM_MAX_CONNECTIONS_PER_PRINCIPAL=10000
export BOARDROOM_JOINS_PER_SECOND_PER_IP=10000
export BOARDROOM_MAX_WRITERS_PER_ROOM=1000
export BOARDROOM_UPDATES_PER_SECOND=100000
export BOARDROOM_UPDATES_BURST=1000000
exec node $BOARDROOM_NODE_OPTIONS "$(dirname "$0")/../bin/boardroom.mjs" serve
