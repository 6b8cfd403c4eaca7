#!/bin/sh
# Stands in for a node where only its process matters: says how it was called, ends when told.
echo "called with: $*"
trap 'echo "told to stop"; exit 0' TERM
echo "running"
# Short sleeps, so that nothing stays behind for long when this process is killed.
while :; do
    sleep 1 &
    wait "$!"
done
