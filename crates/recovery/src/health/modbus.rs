//! A holding register of Modbus/TCP (MODBUS Application Protocol 1.1b3, function 3; Messaging on TCP/IP 1.0b).

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Our transaction: one a connection.
const TRANSACTION: u16 = 1;
const READ_HOLDING: u8 = 3;

/// The request for one register.
fn request(unit: u8, register: u16) -> [u8; 12] {
    let (t, r) = (TRANSACTION.to_be_bytes(), register.to_be_bytes());
    [t[0], t[1], 0, 0, 0, 6, unit, READ_HOLDING, r[0], r[1], 0, 1]
}

/// The value in an answer: header of seven bytes, function, and what follows.
fn value(unit: u8, answer: &[u8]) -> Result<u16, String> {
    let head = answer.get(..8).ok_or("the answer is too short")?;
    if head[..2] != TRANSACTION.to_be_bytes() || head[2..4] != [0, 0] || head[6] != unit {
        return Err("the answer is not to this question".to_owned());
    }
    match (head[7], answer.get(8..)) {
        (READ_HOLDING, Some([2, high, low])) => Ok(u16::from_be_bytes([*high, *low])),
        (function, Some([code])) if function == READ_HOLDING | 0x80 => {
            Err(format!("the device refuses (exception {code})"))
        }
        _ => Err("the answer is of another form".to_owned()),
    }
}

pub(super) async fn ask(
    address: SocketAddr,
    unit: u8,
    register: u16,
    (min, max): (u16, u16),
) -> Result<String, String> {
    let place = format!("modbus {address} register {register}");
    let failed = |cause: std::io::Error| format!("{place}: {cause}");
    let mut stream = TcpStream::connect(address).await.map_err(failed)?;
    stream.write_all(&request(unit, register)).await.map_err(failed)?;
    let mut answer = vec![0; 6];
    stream.read_exact(&mut answer).await.map_err(failed)?;
    let length = usize::from(u16::from_be_bytes([answer[4], answer[5]]));
    // Unit, function and at most three bytes: longer is no answer to this question.
    if !(3..=5).contains(&length) {
        return Err(format!("{place}: an answer of {length} bytes is none"));
    }
    answer.resize(6 + length, 0);
    stream.read_exact(&mut answer[6..]).await.map_err(failed)?;
    let found = value(unit, &answer).map_err(|cause| format!("{place}: {cause}"))?;
    if (min..=max).contains(&found) {
        Ok(format!("{place} is {found}"))
    } else {
        Err(format!("{place} is {found}, not {min} to {max}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_and_answer_are_those_of_the_specification() {
        // 6.3 of the application protocol asks for register 108 (0x006b); one of its values is 0x022b.
        assert_eq!(request(17, 0x6b), [0, 1, 0, 0, 0, 6, 17, 3, 0, 0x6b, 0, 1]);
        assert_eq!(value(17, &[0, 1, 0, 0, 0, 5, 17, 3, 2, 0x02, 0x2b]), Ok(0x022b));
        assert!(value(17, &[0, 1, 0, 0, 0, 3, 17, 0x83, 2]).unwrap_err().contains("exception 2"));
        for bad in
            [&[][..], &[0, 2, 0, 0, 0, 5, 17, 3, 2, 0, 0], &[0, 1, 0, 0, 0, 5, 17, 3, 4, 0, 0]]
        {
            assert!(value(17, bad).is_err());
        }
    }
}
