//! A port that takes connections.

use std::net::SocketAddr;

use tokio::net::TcpStream;

pub(super) async fn ask(address: SocketAddr) -> Result<String, String> {
    match TcpStream::connect(address).await {
        Ok(_) => Ok(format!("tcp {address} takes connections")),
        Err(cause) => Err(format!("tcp {address}: {cause}")),
    }
}
