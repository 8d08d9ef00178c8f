//! Sends small datagrams at a rate: `flood ADDRESS:PORT COUNT [PER_SECOND]`. For `tools/bench-live.sh`.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::io::IoSlice;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, sendmmsg};

/// Datagrams handed to the kernel at a time.
const BATCH: usize = 32;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [to, count, rest @ ..] = &arguments[..] else {
        return Err("flood ADDRESS:PORT COUNT [PER_SECOND]".into());
    };
    let count: usize = count.parse()?;
    let per_second: Option<f64> = rest.first().map(|rate| rate.parse()).transpose()?;
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(to.as_str())?;
    let payload = [0_u8; 18];
    let parts = [[IoSlice::new(&payload)]; BATCH];
    let mut headers = MultiHeaders::<SockaddrIn>::preallocate(BATCH, None);
    let start = Instant::now();
    let mut sent = 0;
    while sent < count {
        if let Some(rate) = per_second {
            let due = Duration::from_secs_f64(sent as f64 / rate);
            while start.elapsed() < due {
                std::hint::spin_loop();
            }
        }
        let now = BATCH.min(count - sent);
        let addresses = [None; BATCH];
        let results = sendmmsg(
            socket.as_raw_fd(),
            &mut headers,
            &parts[..now],
            &addresses[..now],
            [],
            MsgFlags::empty(),
        )?;
        sent += results.count();
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{{\"sent\":{sent},\"seconds\":{seconds:.3},\"per_second\":{:.0}}}",
        sent as f64 / seconds
    );
    Ok(())
}
