//! Sends small frames at a rate and says what became of them, as JSON:
//! `flood INTERFACE COUNT [PER_SECOND|max [SENDERS [THREADS]]]`. For `tools/bench-live.sh`.
#![allow(clippy::print_stdout)]

use std::error::Error;

use dataplane::flood::{self, FloodCounts, FloodSettings};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [interface, count, rest @ ..] = &arguments[..] else {
        return Err("flood INTERFACE COUNT [PER_SECOND|max [SENDERS [THREADS]]]".into());
    };
    let rate = rest.first().filter(|rate| *rate != "max");
    let settings = FloodSettings {
        interface: interface.clone(),
        count: count.parse()?,
        per_second: rate.map(|rate| rate.parse()).transpose()?,
        senders: rest.get(1).map_or(Ok(1), |senders| senders.parse())?,
        threads: rest.get(2).map_or(Ok(2), |threads| threads.parse())?,
    };
    let FloodCounts { accepted, left, dropped, seconds } = flood::run(&settings)?;
    println!(
        "{{\"accepted\":{accepted},\"sent\":{left},\"dropped\":{dropped},\"seconds\":{seconds:.3},\
         \"per_second\":{:.0}}}",
        left as f64 / seconds
    );
    Ok(())
}
