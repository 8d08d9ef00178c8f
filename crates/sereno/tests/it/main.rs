//! The real programs, started and treated as people and accidents treat them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]
#![allow(clippy::print_stderr)] // what is skipped is said

mod access_ground;
mod access_kit;
mod access_writes;
mod actuators;
mod analyst;
mod assets;
mod bad_use;
mod commands;
mod communities;
mod faults_capture;
mod faults_disk;
mod faults_input;
mod faults_kit;
mod faults_peer;
mod federation;
mod federation_wire;
mod feeds_medallion;
mod feeds_misp;
mod feeds_pull;
mod gateway;
mod gateway_openc2;
mod imports;
mod interference;
mod kills;
mod laws;
mod ledger;
mod misp;
mod nets;
mod partition;
mod playbook_kills;
mod playbook_runs;
mod playbook_sign;
mod programs;
mod recovery;
mod sight;
mod stix_patterns;
mod stix_peer;
mod stix_upgrade;
mod taxii;
mod taxii_certificates;
mod taxii_kills;
mod walk;
mod ways_out;
