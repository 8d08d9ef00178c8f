#!/usr/bin/env bash
# Captures of real programs that speak MQTT, CoAP, SSH and Telnet, made in a network namespace of
# their own; the tests compare what tshark and the parsers say of them. Needs root and the packages
# mosquitto, mosquitto-clients, libcoap3-bin, openssh-server, inetutils-telnetd, inetutils-telnet,
# openbsd-inetd, tcpdump and wireshark-common.
#
#   tools/real-captures.sh FOLDER
set -euo pipefail
out=$(realpath "${1:?folder for the captures}")
if [ -z "${IN_NAMESPACE:-}" ]; then
    exec env IN_NAMESPACE=1 unshare --net --uts bash "$0" "$out"
fi
hostname lamppost
ip link set lo up
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT

record() { # name, filter, command that speaks
    tcpdump -Z root -q -i lo -U -w "$work/$1.pcap" "$2" 2>/dev/null &
    local dump=$!
    sleep 1
    "$3" >/dev/null 2>&1 || true
    sleep 1
    kill "$dump"
    wait "$dump" 2>/dev/null || true
    # Loopback and SSH say a lot that is of no use here.
    editcap -F pcap -r "$work/$1.pcap" "$out/$1.pcap" "1-${4:-2000}"
    echo "$1: $(stat -c %s "$out/$1.pcap") bytes"
}

speak_mqtt() {
    printf 'listener 1883\nallow_anonymous true\nuser root\n' >"$work/mosquitto.conf"
    mosquitto -c "$work/mosquitto.conf" &
    local broker=$! listeners=()
    sleep 1
    timeout 4 mosquitto_sub -V mqttv311 -i lamp-1 -t 'city/+/state' -q 2 -t 'city/#' --will-topic city/gone --will-payload lamp-1 &
    listeners+=($!)
    timeout 4 mosquitto_sub -V mqttv5 -i lamp-5 -t 'city/lamp/#' -q 1 -x 30 &
    listeners+=($!)
    timeout 8 mosquitto_sub -V mqttv31 -i lamp-31 -t 'city/old' -C 1 -U city/none &
    listeners+=($!)
    sleep 1
    for version in mqttv31 mqttv311 mqttv5; do
        mosquitto_pub -V $version -i pub-$version -t city/lamp/state -m on -q 0
        mosquitto_pub -V $version -i pub-$version -t city/lamp/state -m off -q 1 -r
        mosquitto_pub -V $version -i pub-$version -t city/old -m "$(head -c 300 /dev/zero | tr '\0' x)" -q 2 -k 5
    done
    mosquitto_pub -V mqttv5 -i props -t city/lamp/level -m 7 -D publish content-type text/plain -D publish user-property unit percent
    wait "${listeners[@]}" || true
    kill "$broker"
}

speak_coap() {
    coap-server-notls -A 127.0.0.1 &
    local server=$!
    sleep 1
    local at=coap://127.0.0.1
    coap-client-notls -m get $at/
    coap-client-notls -m get $at/.well-known/core
    coap-client-notls -m get "$at/time?ticks"
    coap-client-notls -N -m get $at/time
    coap-client-notls -m put -e 1700000000 $at/time
    coap-client-notls -m get $at/nothing/here
    coap-client-notls -m post -e hello $at/example_data
    coap-client-notls -m put -e "$(head -c 3000 /dev/zero | tr '\0' y)" $at/example_data
    coap-client-notls -m get -b 128 $at/example_data
    coap-client-notls -m delete $at/time
    coap-client-notls -s 3 -B 4 -m get $at/async?1
    kill "$server"
}

speak_ssh() {
    ssh-keygen -q -t ed25519 -N '' -f "$work/key"
    mkdir -p /run/sshd
    /usr/sbin/sshd -D -f /dev/null -h "$work/key" -p 22 &
    local server=$!
    sleep 1
    ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null lamp@127.0.0.1 true || true
    kill "$server"
}

speak_telnet() {
    echo "23 stream tcp nowait root /usr/sbin/telnetd telnetd -h" >"$work/inetd.conf"
    /usr/sbin/inetd -i "$work/inetd.conf" &
    local server=$!
    sleep 1
    (sleep 1; echo lamp; sleep 1; echo wrong-1; sleep 4; echo city; sleep 1; echo wrong-2; sleep 4) |
        timeout 14 telnet 127.0.0.1 || true
    kill "$server"
}

record mqtt "tcp port 1883" speak_mqtt
record coap "udp port 5683" speak_coap
record ssh "tcp port 22" speak_ssh 12
record telnet "tcp port 23" speak_telnet
