//! A device for the closed loop: a controller that tells its state, answers Modbus, and, once it is infected, looks
//! for others. It is a copy of this program, started as a service under checkpoint in a network of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Set for the copy of this program that is the device: the folder with its state.
pub(crate) const STATE: &str = "SERENO_TEST_DEVICE";
/// How it is started: the name of the test that it is.
pub(crate) const TEST: &str = "closing_device::device";
/// Its address, and that of the control room it tells its state.
pub(crate) const ADDRESS: &str = "10.9.0.7";
const CONTROL_ROOM: &str = "10.9.0.2:9000";
/// What its register holds while it is well; an infected one has another.
const WELL: u8 = 42;
const ILL: u8 = 99;
/// Pause between two words about its state.
const TELLS_EVERY: Duration = Duration::from_millis(250);

fn infected(state: &Path) -> bool {
    std::fs::read_to_string(state.join("behaviour")).is_ok_and(|text| text == "evil")
}

/// Answers a read of one register (Modbus application protocol §6.3), as often as it is asked.
fn answer(mut stream: &TcpStream, state: &Path) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut asked = [0; 12];
    loop {
        stream.read_exact(&mut asked)?;
        let value = if infected(state) { ILL } else { WELL };
        stream.write_all(&[asked[0], asked[1], 0, 0, 0, 5, asked[6], 3, 2, 0, value])?;
    }
}

/// Knocks at the doors by which such programs spread.
fn spread() {
    for host in 1..=20 {
        for port in [23, 2323, 5555] {
            let address = SocketAddr::from(([10, 9, 5, host], port));
            let _ = TcpStream::connect_timeout(&address, Duration::from_millis(20));
        }
    }
}

#[test]
#[ignore = "the device of another test"]
fn device() {
    let Some(state) = std::env::var_os(STATE).map(PathBuf::from) else { return };
    let listener = TcpListener::bind((ADDRESS, 502)).unwrap();
    let own = state.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let own = own.clone();
            std::thread::spawn(move || answer(&stream, &own));
        }
    });
    let socket = UdpSocket::bind((ADDRESS, 0)).unwrap();
    loop {
        let _ = socket.send_to(b"pressure 42", CONTROL_ROOM);
        if infected(&state) {
            spread();
        }
        std::thread::sleep(TELLS_EVERY);
    }
}
